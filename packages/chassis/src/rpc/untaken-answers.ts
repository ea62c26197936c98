import type { Logger } from "pino";
import type { ReadPace } from "./read-pace.ts";

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
  /** Bytes were written that are too few to be counted as waiting. */
  passed(bytes: number): void;
  took(bytes: number): void;
  /** Nothing of the answer waits any more. */
  [Symbol.dispose](): void;
};

/**
 * Counts the bytes of answers that wait in memory for their readers. Above the limit, the oldest
 * answer of the user with most bytes is dropped, until the rest is within the limit. So readers that
 * take nothing cost their own user an answer, and nobody else. An answer of which nothing is taken
 * for some time is dropped as well; over HTTP/1.1, an answer shows only when all of it is taken.
 * Disposing ends the checks of the time.
 */
export type UntakenAnswers = Disposable & {
  /** The bytes that wait now. */
  readonly bytes: number;
  /** Begins to count an answer. `drop` must end it and free its bytes at once. */
  open(drop: () => void): UntakenAnswer;
};

/**
 * Counts answers that together have at most `maxBytes` and of which something is taken every
 * `maxStallMs`, or up to twice that; see {@link UntakenAnswers}.
 */
export function createUntakenAnswers(options: {
  readonly maxBytes: number;
  readonly maxStallMs: number;
  /** Counts all bytes of the answers to users. */
  readonly pace: Pick<ReadPace, "spend">;
  readonly log: Logger;
}): UntakenAnswers {
  const { maxBytes, maxStallMs, pace, log } = options;
  const users = new Map<string, Waiting<Answer>>();
  let total = 0;
  let period = 0;

  const drop = (answer: Answer) => {
    const { userId, bytes } = answer;
    log.debug({ userId, bytes, waiting: total }, "dropping an answer that nobody takes");
    answer[Symbol.dispose]();
    answer.drop();
  };
  const dropOldest = () => {
    const [oldest] = heaviestOf(users).answers;
    if (oldest) drop(oldest);
  };
  const timer = setInterval(() => {
    for (const { answers } of users.values()) {
      for (const answer of answers) if (answer.period < period) drop(answer);
    }
    period += 1;
  }, maxStallMs).unref();
  const add = (answer: Answer, bytes: number) => {
    if (bytes === 0) return;
    const waiting = users.get(answer.userId) ?? { bytes: 0, answers: new Set() };
    answer.bytes += bytes;
    answer.period = period;
    total += bytes;
    waiting.bytes += bytes;
    if (answer.bytes > 0) waiting.answers.add(answer);
    else waiting.answers.delete(answer);
    if (waiting.bytes > 0) users.set(answer.userId, waiting);
    else users.delete(answer.userId);
  };
  /** One is made per call, so it shares its methods. */
  class Answer implements UntakenAnswer {
    userId = "";
    bytes = 0;
    /** In which period something was last written or taken. */
    period = period;
    readonly drop: () => void;

    constructor(drop: () => void) {
      this.drop = drop;
    }

    wrote(bytes: number): void {
      add(this, bytes);
      this.passed(bytes);
      while (total > maxBytes) dropOldest();
    }

    passed(bytes: number): void {
      if (this.userId !== "") pace.spend(this.userId, bytes);
    }

    took(bytes: number): void {
      // Some of an answer may still be taken after it was dropped.
      add(this, -Math.min(bytes, this.bytes));
    }

    [Symbol.dispose](): void {
      add(this, -this.bytes);
    }
  }
  return {
    get bytes() {
      return total;
    },
    open: (drop) => new Answer(drop),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What waits for the readers of one user; the oldest answer is the first. */
type Waiting<Answer> = { bytes: number; readonly answers: Set<Answer> };

function heaviestOf<Answer>(users: ReadonlyMap<string, Waiting<Answer>>): Waiting<Answer> {
  let heaviest: Waiting<Answer> = { bytes: 0, answers: new Set() };
  for (const waiting of users.values()) if (waiting.bytes > heaviest.bytes) heaviest = waiting;
  return heaviest;
}
