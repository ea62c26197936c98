import type { Logger } from "pino";

/** The answer of one call, as far as it waits in memory for its reader. */
export type UntakenAnswer = {
  /**
   * The user whose answer it is, set before anything of it waits. Empty if the caller has shown no
   * valid token; all such callers count as one user.
   */
  userId: string;
  /** The bytes that wait now. */
  readonly bytes: number;
  wrote(bytes: number): void;
  took(bytes: number): void;
  /** Nothing of the answer waits any more. */
  [Symbol.dispose](): void;
};

/**
 * Counts the bytes of answers that wait in memory for their readers. Above the limit, the oldest
 * answer of the user with most bytes is dropped, until the rest is within the limit. So readers that
 * take nothing cost their own user an answer, and nobody else.
 */
export type UntakenAnswers = {
  /** The bytes that wait now. */
  readonly bytes: number;
  /** Begins to count an answer. `drop` must end it and free its bytes at once. */
  open(drop: () => void): UntakenAnswer;
};

/** Counts answers that together have at most `maxBytes`; see {@link UntakenAnswers}. */
export function createUntakenAnswers(options: {
  readonly maxBytes: number;
  readonly log: Logger;
}): UntakenAnswers {
  const { maxBytes, log } = options;
  const users = new Map<string, Waiting>();
  let total = 0;

  const dropOldest = () => {
    const [userId, { bytes, answers }] = heaviestOf(users);
    const [oldest] = answers;
    if (!oldest) return;
    log.debug({ userId, bytes, answers: answers.size }, "dropping an answer that nobody takes");
    oldest[Symbol.dispose]();
    oldest.drop();
  };
  const open = (drop: () => void): Answer => {
    let own = 0;
    const add = (bytes: number) => {
      if (bytes === 0) return;
      const waiting = users.get(answer.userId) ?? { bytes: 0, answers: new Set() };
      own += bytes;
      total += bytes;
      waiting.bytes += bytes;
      if (own > 0) waiting.answers.add(answer);
      else waiting.answers.delete(answer);
      if (waiting.bytes > 0) users.set(answer.userId, waiting);
      else users.delete(answer.userId);
    };
    const answer: Answer = {
      userId: "",
      drop,
      get bytes() {
        return own;
      },
      wrote(bytes) {
        add(bytes);
        while (total > maxBytes) dropOldest();
      },
      // Some of an answer may still be taken after it was dropped.
      took: (bytes) => add(-Math.min(bytes, own)),
      [Symbol.dispose]: () => add(-own),
    };
    return answer;
  };
  return {
    get bytes() {
      return total;
    },
    open,
  };
}

type Answer = UntakenAnswer & { readonly drop: () => void };
/** What waits for the readers of one user; the oldest answer is the first. */
type Waiting = { bytes: number; readonly answers: Set<Answer> };

function heaviestOf(users: ReadonlyMap<string, Waiting>): readonly [string, Waiting] {
  let heaviest: readonly [string, Waiting] = ["", { bytes: 0, answers: new Set() }];
  for (const entry of users) if (entry[1].bytes > heaviest[1].bytes) heaviest = entry;
  return heaviest;
}
