import type { Faults } from "@settle/chassis/base/faults";

/**
 * Kills this process the n-th time it reaches a crash point. `crashAt` is the name of the crash
 * point and n, such as `relay.after-confirm:3`.
 */
export function killAt(crashAt: string): Faults {
  const [point, nth] = crashAt.split(":");
  let remaining = Number(nth ?? 1);
  return {
    reach(reached) {
      if (reached !== point) return;
      remaining -= 1;
      if (remaining === 0) process.kill(process.pid, "SIGKILL");
    },
  };
}
