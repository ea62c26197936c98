import { setTimeout as pause } from "node:timers/promises";

/** The moments, in milliseconds from the start, at which `perSecond` things a second are due. */
export function* dueTimes(perSecond: number, seconds: number): Generator<number> {
  for (let index = 0; index < perSecond * seconds; index += 1) yield (index * 1_000) / perSecond;
}

/**
 * Calls `send` at each of the due times, never earlier and whatever became of those before it, and
 * resolves once all have ended. Rejects if one did.
 */
export async function sendOnSchedule(
  due: Iterable<number>,
  send: () => Promise<void>,
): Promise<void> {
  const startMs = performance.now();
  const sent: Promise<void>[] = [];
  const failures: unknown[] = [];
  for (const dueMs of due) {
    const leftMs = () => startMs + dueMs - performance.now();
    // Timers fire up to a millisecond early.
    for (let left = leftMs(); left > 0; left = leftMs()) await pause(left);
    sent.push(send().catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(sent);
  if (failures.length > 0) throw failures[0];
}

/** Has `lanes` of them call `send` one time after the other until `seconds` have passed. */
export async function sendInLanes(
  lanes: number,
  seconds: number,
  send: () => Promise<void>,
): Promise<void> {
  const endMs = performance.now() + seconds * 1_000;
  const lane = async () => {
    while (performance.now() < endMs) await send();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * The wall clock with microseconds: taken from the moment at which the coarse one ticks, because the
 * process's own origin drifts away from it over minutes.
 */
export function createWallClock(): () => number {
  const before = Date.now();
  let tick = before;
  while (tick === before) tick = Date.now();
  const originMs = tick - performance.now();
  return () => originMs + performance.now();
}
