import { type Answer, outcomeOf } from "../calls/call.ts";
import type { Shopper } from "./history.ts";

const depositEvery = 10;
/** The pause between calls, so that the load is steady and leaves the CPU to the system. */
const pauseMs = 10;

/** A load that runs until it is stopped. Disposing stops it. */
export type Load = AsyncDisposable & {
  /** The number of finished calls, by the outcome that the client saw. */
  readonly ended: Readonly<Record<ReturnType<typeof outcomeOf>, number>>;
  /** The code and reason of each kind of refusal. */
  readonly refusals: ReadonlySet<string>;
};

/**
 * Keeps `concurrency` callers busy: each places its next order soon after the previous response,
 * and occasionally makes a deposit instead. Failed calls are not retried.
 */
export function startLoad(options: {
  readonly shopper: Shopper;
  readonly userIds: readonly string[];
  /** Returns the start of the description of each order; called when the order is placed. */
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
