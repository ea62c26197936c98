import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Returns `place`, filled by `fill` if it is not there yet. `fill` works in a folder of its own that
 * is renamed at the end, so `place` is complete or missing, and of two runs at once one wins and
 * both can use the result.
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
