import { readdirSync } from "node:fs";
import { join } from "node:path";

const folder = "proto/releases";

/**
 * Returns the folders of the releases, below `root`, the newest last. Each contains the contract of
 * that release: `image.binpb` (its descriptors), `openapi.json`, and `recording.json` (calls with
 * its responses, and its events).
 */
export function releases(root: string): readonly string[] {
  const numbers = (name: string) => name.split(".").map(Number);
  return readdirSync(join(root, folder))
    .filter((name) => /^\d+\.\d+\.\d+$/.test(name))
    .toSorted((one, other) => {
      const [a, b] = [numbers(one), numbers(other)];
      return (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
    })
    .map((name) => join(folder, name));
}

/** Returns the folder of the newest release, below `root`. */
export function latestRelease(root: string): string {
  const latest = releases(root).at(-1);
  if (latest === undefined) throw new Error(`${folder} contains no release`);
  return latest;
}
