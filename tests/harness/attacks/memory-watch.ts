import { globSync, readFileSync } from "node:fs";

const everyMs = 500;

/** The resident memory of each part at a moment, in bytes. */
type Reading = { readonly atMs: number; readonly bytes: ReadonlyMap<string, number> };

/** Readings of the memory of all parts, until it is disposed. */
export type MemoryWatch = Disposable & {
  /** The largest reading of each part in a time window, in megabytes. */
  peakMb(fromMs: number, toMs: number): Readonly<Record<string, number>>;
};

/** Reads the memory of each process, with its children, every 500 ms. */
export function watchMemory(pids: () => ReadonlyMap<string, number>): MemoryWatch {
  const readings: Reading[] = [];
  const read = () => readings.push({ atMs: performance.now(), bytes: readMemory(pids()) });
  read();
  const timer = setInterval(read, everyMs);
  return {
    peakMb(fromMs, toMs) {
      const peaks: Record<string, number> = {};
      for (const { atMs, bytes } of readings) {
        if (atMs < fromMs || atMs > toMs) continue;
        for (const [name, used] of bytes) {
          peaks[name] = Math.max(peaks[name] ?? 0, Math.round(used / 1e6));
        }
      }
      return peaks;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/**
 * Reads the resident memory of each process of `pids` with its children, in bytes, by name. Memory
 * that processes share, as those of PostgreSQL do, is counted once. Empty without Linux's /proc.
 */
export function readMemory(pids: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const children = new Map<number, number[]>();
  const own = new Map<number, { readonly anonymous: number; readonly shared: number }>();
  for (const file of globSync("/proc/[0-9]*/status")) {
    let status: string;
    try {
      status = readFileSync(file, "latin1");
    } catch {
      continue; // It has just exited.
    }
    const read = (key: string) =>
      Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    const [pid, parent] = [read("Pid"), read("PPid")];
    children.set(parent, [...(children.get(parent) ?? []), pid]);
    const shared = (read("RssFile") + read("RssShmem")) * 1_024;
    own.set(pid, { anonymous: read("RssAnon") * 1_024, shared });
  }
  const treeOf = (pid: number): readonly number[] => [
    pid,
    ...(children.get(pid) ?? []).flatMap(treeOf),
  ];
  const used = new Map<string, number>();
  for (const [name, pid] of pids) {
    const tree = treeOf(pid).flatMap((one) => own.get(one) ?? []);
    if (tree.length === 0) continue;
    const anonymous = tree.reduce((sum, one) => sum + one.anonymous, 0);
    used.set(name, anonymous + Math.max(...tree.map(({ shared }) => shared)));
  }
  return used;
}
