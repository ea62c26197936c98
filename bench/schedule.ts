import { setTimeout as pause } from "node:timers/promises";

/** Yields the due times of `perSecond` requests per second, in milliseconds from the start. */
export function* dueTimes(perSecond: number, seconds: number): Generator<number> {
  for (let index = 0; index < perSecond * seconds; index += 1) yield (index * 1_000) / perSecond;
}

/**
 * Calls `send` at each due time, never earlier and without waiting for earlier calls. Resolves once
 * all calls have ended; rejects if one of them did.
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

/** Calls `send` repeatedly in each of `lanes` lanes until `seconds` have passed. */
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
 * Creates a wall clock with microseconds. It is synchronised with a tick of the coarse clock,
 * because the time origin of the process drifts from the wall clock over minutes.
 */
export function createWallClock(): () => number {
  const before = Date.now();
  let tick = before;
  while (tick === before) tick = Date.now();
  const originMs = tick - performance.now();
  return () => originMs + performance.now();
}
