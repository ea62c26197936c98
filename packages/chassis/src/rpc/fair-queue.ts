import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";
import type { ReadPace } from "./read-pace.ts";

export type FairQueueLimits = {
  /** Tasks that run at a time. */
  readonly maxRunning: number;
  /** Tasks of one user that run at a time. */
  readonly maxRunningPerUser: number;
  /** Tasks that wait. */
  readonly maxWaiting: number;
  /** Tasks of one user that wait. */
  readonly maxWaitingPerUser: number;
};

export type FairQueue = {
  /**
   * Runs `task` and settles like it: at once if there is room and the user's pace allows it,
   * otherwise when it is the user's turn. Rejects with OVERLOADED if too many wait, and with the signal's reason if it aborts
   * before the task begins. A task that has begun is not interrupted, and counts until it settles.
   */
  run<T>(user: string, signal: AbortSignal, task: () => Promise<T>): Promise<T>;
};

/** The tasks of one user. Those that wait begin in the order in which they came. */
type Line = {
  readonly user: string;
  running: number;
  readonly waiting: Set<Waiting>;
  /** Runs while the user's pace is what the line waits for. */
  timer: NodeJS.Timeout | undefined;
};

/** A task that waits: begins it, or ends its wait. */
type Waiting = { readonly begin: () => void; readonly refuse: () => void };

/**
 * Limits how many tasks run at a time. Users take turns: however many tasks of one user wait, the
 * first task of another is next. Without waiting tasks there is no timer and no delay.
 */
export function createFairQueue(
  limits: FairQueueLimits,
  pace: Pick<ReadPace, "delayMs">,
): FairQueue {
  const { maxRunning, maxRunningPerUser, maxWaiting, maxWaitingPerUser } = limits;
  const lines = new Map<string, Line>();
  // The lines whose first task may begin, in their turn. Empty while less than `maxRunning` run.
  const ready = new Set<Line>();
  let running = 0;
  let waiting = 0;

  const lineOf = (user: string) => {
    const line = lines.get(user) ?? { user, running: 0, waiting: new Set(), timer: undefined };
    lines.set(user, line);
    return line;
  };
  /** Updates what depends on the line after it has changed. */
  const arrange = (line: Line) => {
    if (line.waiting.size === 0) {
      ready.delete(line);
      clearTimeout(line.timer);
      if (line.running === 0) lines.delete(line.user);
    } else if (line.running < maxRunningPerUser) {
      const delayMs = pace.delayMs(line.user);
      if (delayMs > 0) postpone(line, delayMs);
      else ready.add(line);
    }
  };
  const postpone = (line: Line, delayMs: number) => {
    clearTimeout(line.timer);
    line.timer = setTimeout(() => {
      arrange(line);
      beginNext();
    }, delayMs);
  };
  const begin = <T>(line: Line, task: () => Promise<T>): Promise<T> => {
    running += 1;
    line.running += 1;
    const end = () => {
      running -= 1;
      line.running -= 1;
      arrange(line);
      beginNext();
    };
    const result = task();
    result.then(end, end);
    return result;
  };
  const beginNext = () => {
    for (const line of ready) {
      if (running >= maxRunning) return;
      // Goes to the end if there is more.
      ready.delete(line);
      const [first] = line.waiting;
      first?.begin();
      arrange(line);
    }
  };
  /** Refuses the last task of the longest line, if that stays no shorter than this one becomes. */
  const makeRoomFor = (line: Line): boolean => {
    let longest = line;
    for (const other of lines.values()) {
      if (other.waiting.size > longest.waiting.size) longest = other;
    }
    if (longest.waiting.size <= line.waiting.size + 1) return false;
    Array.from(longest.waiting).at(-1)?.refuse();
    return true;
  };

  return {
    run(user, signal, task) {
      const line = lineOf(user);
      const hasRoom = running < maxRunning && line.running < maxRunningPerUser;
      if (hasRoom && line.waiting.size === 0 && pace.delayMs(user) <= 0) return begin(line, task);
      if (line.waiting.size >= maxWaitingPerUser) {
        arrange(line);
        return Promise.reject(userHasTooMany());
      }
      if (waiting >= maxWaiting && !makeRoomFor(line)) {
        arrange(line);
        return Promise.reject(tooManyWaiting());
      }
      return new Promise((resolve, reject) => {
        const leave = () => {
          signal.removeEventListener("abort", abort);
          line.waiting.delete(entry);
          waiting -= 1;
        };
        const giveUp = (reason: unknown) => {
          leave();
          arrange(line);
          reject(reason);
        };
        const abort = () => giveUp(signal.reason);
        const entry: Waiting = {
          begin() {
            leave();
            resolve(begin(line, task));
          },
          refuse: () => giveUp(tooManyWaiting()),
        };
        signal.addEventListener("abort", abort);
        line.waiting.add(entry);
        waiting += 1;
        arrange(line);
      });
    },
  };
}

const userHasTooMany = () =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.OVERLOADED,
    "too many calls of this user are waiting; wait for their answers, then try again",
  );

/** The refusal of a call for which there is no place to wait. */
export const tooManyWaiting = (): ConnectError =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.OVERLOADED,
    "too many calls are waiting; try again later",
  );
