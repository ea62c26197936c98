import { globSync, readFileSync } from "node:fs";

/** Clock ticks per second, the unit of times in /proc on Linux. */
const ticksPerSecond = 100;

/**
 * Returns the CPU seconds of each process of `pids` with its children, by name. Processes that have
 * exited are left out; the map is empty on systems without /proc.
 */
export function readCpuSeconds(pids: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const used = new Map<number, number>();
  for (const file of globSync("/proc/[0-9]*/stat")) {
    let text: string;
    try {
      text = readFileSync(file, "latin1");
    } catch {
      continue; // It has just exited.
    }
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [parent, user, system, childrenUser, childrenSystem] = [1, 11, 12, 13, 14].map((index) =>
      Number(fields[index]),
    ) as [number, number, number, number, number];
    const pid = Number.parseInt(text, 10);
    used.set(pid, (used.get(pid) ?? 0) + user + system + childrenUser + childrenSystem);
    used.set(parent, (used.get(parent) ?? 0) + user + system);
  }
  return new Map(
    Array.from(pids, ([name, pid]) => [name, used.get(pid)] as const)
      .filter((entry): entry is [string, number] => entry[1] !== undefined)
      .map(([name, ticks]) => [name, ticks / ticksPerSecond]),
  );
}
