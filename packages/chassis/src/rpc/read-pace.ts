import type { Clock } from "../base/clock.ts";
import { RecentMap } from "../base/recent-map.ts";

const usersRemembered = 10_000;
/** The bytes of so much time may come at once. */
const burstMs = 500;

/** How fast each user may read. */
export type ReadPace = {
  /** Counts bytes of an answer to the user. */
  spend(userId: string, bytes: number): void;
  /** How many milliseconds the user's next read has to wait; 0 if it may begin. */
  delayMs(userId: string): number;
};

/**
 * Limits the bytes of answers that each user gets per second, on average; those of half a second may
 * come at once. Users who are above that are not refused: what they read next waits, and the
 * bytes of an answer count only after it. Remembers at least the 10,000 users who read last; others
 * need not wait.
 */
export function createReadPace(bytesPerSecond: number, clock: Clock): ReadPace {
  const users = new RecentMap<string, { paidUntilMs: number }>(usersRemembered);
  const newUser = () => ({ paidUntilMs: 0 });
  return {
    spend(userId, bytes) {
      const user = users.use(userId, newUser);
      const fromMs = Math.max(user.paidUntilMs, clock.monotonicMs());
      user.paidUntilMs = fromMs + (bytes / bytesPerSecond) * 1_000;
    },
    delayMs(userId) {
      const { paidUntilMs } = users.use(userId, newUser);
      return Math.max(0, paidUntilMs - burstMs - clock.monotonicMs());
    },
  };
}
