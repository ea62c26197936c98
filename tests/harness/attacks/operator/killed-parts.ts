import { setTimeout as pause } from "node:timers/promises";
import { operatorAttack } from "../attack.ts";

/** How often a process is killed, and the time from one kill to the next. */
type Kills = { readonly kills: number; readonly everyS: number };

/** A process is killed; its supervisor starts it again. */
export const killedParts = [
  killed("orders", 5, { kills: 5, everyS: 12 }),
  killed("payments", 5, { kills: 5, everyS: 12 }),
  killed("rabbitmq", 20, { kills: 1, everyS: 25 }),
  killed("postgres", 20, { kills: 1, everyS: 25 }),
];

function killed(process: string, recoveryS: number, kills: Kills) {
  return operatorAttack({
    name: `killed-${process}`,
    goals: { isOutage: true, recoveryS },
    full: { seconds: kills.kills * kills.everyS, ...kills },
    short: { seconds: kills.everyS, ...kills, kills: 1 },
    faultsOf: ({ "not running": missing = 0 }) =>
      missing > 0 ? [`it was still not running at ${missing} of the kills`] : [],
    size: (size: Kills) =>
      size.kills === 1
        ? `${process} killed`
        : `${process} killed ${size.kills} times, ${size.everyS} s apart`,
    async run(target, size) {
      let killed = 0;
      for (let kill = 0; kill < size.kills; kill += 1) {
        target.mark();
        if (target.kill(process)) killed += 1;
        await pause(size.everyS * 1_000);
      }
      return { killed, "not running": size.kills - killed };
    },
  });
}
