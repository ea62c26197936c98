import { type Answer, outcomeOf } from "../calls/call.ts";
import type { Shopper } from "./history.ts";

const depositEvery = 10;
/** Between a caller's calls: the load is to be steady and leave the machine to the system. */
const pauseMs = 10;

/** A load that runs until it is stopped. Disposing stops it. */
export type Load = AsyncDisposable & {
  /** How many calls ended, by how the client saw them end. */
  readonly ended: Readonly<Record<ReturnType<typeof outcomeOf>, number>>;
  /** Each way in which a call was refused, as its code and reason. */
  readonly refusals: ReadonlySet<string>;
};

/**
 * Keeps `concurrency` callers busy, each with its next order soon after the last is answered, now
 * and then with a deposit instead. Calls that fail are not repeated.
 */
export function startLoad(options: {
  readonly shopper: Shopper;
  readonly userIds: readonly string[];
  /** Begins the description of each order; asked as the order is placed. */
  readonly label: () => string;
  readonly concurrency?: number;
}): Load {
  const { shopper, userIds, label, concurrency = 8 } = options;
  const ended = { ok: 0, failed: 0, unknown: 0 };
  const refusals = new Set<string>();
  let stopped = false;
  let turn = 0;

  const callOnce = (): Promise<Answer<unknown>> => {
    turn += 1;
    const userId = userIds[turn % userIds.length] ?? "";
    return turn % depositEvery === 0
      ? shopper.deposit(userId, 10n)
      : shopper.createOrder(userId, BigInt(1 + (turn % 3)), { label: label() });
  };
  const work = async () => {
    while (!stopped) {
      const answer = await callOnce();
      ended[outcomeOf(answer)] += 1;
      if (!answer.ok) refusals.add(`${answer.code} ${answer.reason || answer.message}`);
      await new Promise((next) => setTimeout(next, pauseMs));
    }
  };
  const workers = Promise.all(Array.from({ length: concurrency }, work));
  return {
    ended,
    refusals,
    async [Symbol.asyncDispose]() {
      stopped = true;
      await workers;
    },
  };
}
