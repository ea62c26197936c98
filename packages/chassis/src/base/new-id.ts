import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

const bytesPerId = 16;
// Random bytes are fetched in bulk: fetching them per id costs more than the rest of this function.
const random = new Uint8Array(256 * bytesPerId);
let used = random.length;
let lastMs = 0;
let sequence = 0;

/** Creates a UUIDv7. Within a process, each one is larger than the one before. */
export function newId(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  const bytes = random.subarray(used, used + bytesPerId);
  used += bytesPerId;
  const nowMs = Date.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Starts in the lower half of its 32 bits, so that it does not overflow within a millisecond.
    sequence = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6) >>> 1;
  } else {
    sequence += 1;
  }
  return v7({ random: bytes, msecs: lastMs, seq: sequence });
}
