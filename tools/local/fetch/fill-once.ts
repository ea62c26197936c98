import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Returns the folder `place`, and fills it with `fill` if it does not exist. `fill` works in a
 * temporary folder, which is renamed at the end: `place` is either complete or missing. If two
 * processes fill it at the same time, one of them wins and both can use the result.
 */
export async function fillOnce(
  place: string,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  if (existsSync(place)) return place;
  const partial = `${place}.${randomBytes(4).toString("hex")}.partial`;
  mkdirSync(dirname(place), { recursive: true });
  mkdirSync(partial);
  try {
    await fill(partial);
    renameSync(partial, place);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return place;
}
