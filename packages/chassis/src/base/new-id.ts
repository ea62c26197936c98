import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

const bytesPerId = 16;
// The system is asked for randomness in bulk: once per id costs more than all else about it.
const random = new Uint8Array(256 * bytesPerId);
let used = random.length;
let lastMs = 0;
let sequence = 0;

/** Makes a UUIDv7; within a process each is larger than the one before. */
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
    // Starts in the lower half of its 32 bits, so that it does not run over within a millisecond.
    sequence = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6) >>> 1;
  } else {
    sequence += 1;
  }
  return v7({ random: bytes, msecs: lastMs, seq: sequence });
}
