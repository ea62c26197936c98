import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Returns the path, below `root`, of the newest released contract in proto/releases/. */
export function latestRelease(root: string): string {
  const folder = "proto/releases";
  const versionOf = (name: string) =>
    name
      .replace(/\.binpb$/, "")
      .split(".")
      .map(Number);
  const images = readdirSync(join(root, folder))
    .filter((name) => /^\d+\.\d+\.\d+\.binpb$/.test(name))
    .toSorted((one, other) => {
      const [a, b] = [versionOf(one), versionOf(other)];
      return (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
    });
  const latest = images.at(-1);
  if (latest === undefined) throw new Error(`${folder} holds no release`);
  return join(folder, latest);
}
