import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";
import { type Clock, maxClockDifferenceMs, systemClock } from "./clock.ts";

const bytesPerId = 16;
// Random bytes are fetched in bulk: fetching them per id costs more than the rest of this function.
const random = new Uint8Array(256 * bytesPerId);
let used = random.length;

/** Creates a new id each time: a UUIDv7 in lower case. */
export type NewId = () => string;

/**
 * Creates a source of ids with the time of `clock`. Each id is larger than the one before, unless
 * the clock was set back by more than {@link maxClockDifferenceMs}: the time in an id is never
 * further ahead of the clock than that.
 */
export function createIdSource(clock: Pick<Clock, "nowMs">): NewId {
  let lastMs = 0;
  let sequence = 0;
  return () => {
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    const bytes = random.subarray(used, used + bytesPerId);
    used += bytesPerId;
    const nowMs = clock.nowMs();
    if (nowMs > lastMs || nowMs < lastMs - maxClockDifferenceMs) {
      lastMs = nowMs;
      // Starts in the lower half of its 32 bits, so that it does not overflow before time goes on.
      sequence = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6) >>> 1;
    } else {
      sequence += 1;
    }
    return v7({ random: bytes, msecs: lastMs, seq: sequence });
  };
}

/** Creates ids with the time of this machine, for programs that have no checked clock. */
export const newId: NewId = createIdSource(systemClock);
