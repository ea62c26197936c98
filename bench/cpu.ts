import { globSync, readFileSync } from "node:fs";

/** Clock ticks in a second, as Linux reports times in /proc. */
const ticksPerSecond = 100;

/**
 * The seconds of CPU that each process of `pids`, by its name, has used with its children; without
 * those that have ended, and empty where there is no /proc.
 */
export function readCpuSeconds(pids: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const used = new Map<number, number>();
  for (const file of globSync("/proc/[0-9]*/stat")) {
    let text: string;
    try {
      text = readFileSync(file, "latin1");
    } catch {
      continue; // It has just ended.
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
