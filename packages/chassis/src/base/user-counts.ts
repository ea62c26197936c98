/** Counts what each user has open. */
export type UserCounts = {
  readonly total: number;
  of(userId: string): number;
  /** Adds one until it is disposed. */
  add(userId: string): Disposable;
};

/** Creates counts of zero. A user without anything open takes no memory. */
export function createUserCounts(): UserCounts {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    of: (userId) => counts.get(userId) ?? 0,
    add(userId) {
      counts.set(userId, (counts.get(userId) ?? 0) + 1);
      total += 1;
      return {
        [Symbol.dispose]() {
          const left = (counts.get(userId) ?? 1) - 1;
          if (left > 0) counts.set(userId, left);
          else counts.delete(userId);
          total -= 1;
        },
      };
    },
  };
}
