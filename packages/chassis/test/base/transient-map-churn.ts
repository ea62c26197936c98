/**
 * Adds and removes entries of a `Map` or a `TransientMap`, by the first argument, so that never more
 * than 128 are present, and prints the part of all bytes that has reached the old generation.
 */
import { getHeapSpaceStatistics } from "node:v8";
import { TransientMap } from "../../src/base/transient-map.ts";

const entries = 20_000;
const present = 128;
const wordsPerEntry = 1_000;
const bytesPerWord = 8;

const map = process.argv[2] === "Map" ? new Map<number, unknown>() : new TransientMap<unknown>();
const oldBytes = () =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "old_space")?.space_used_size ??
  0;

const churn = (from: number, to: number) => {
  for (let key = from; key < to; key += 1) {
    map.set(key, new Array(wordsPerEntry).fill(key));
    map.delete(key - present);
    const now = oldBytes();
    promoted += Math.max(0, now - last);
    last = now;
  }
};
let last = oldBytes();
let promoted = 0;
churn(0, present);
// Moves the first table to the old generation, as happens sooner or later in a service.
globalThis.gc?.();
[last, promoted] = [oldBytes(), 0];
churn(present, entries);
console.log(promoted / (entries * wordsPerEntry * bytesPerWord));
