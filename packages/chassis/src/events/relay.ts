import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import type { OutgoingMessage, Publisher, PublishOutcome } from "../broker/broker.ts";

const maxQueued = 10_000;
const maxUnconfirmed = 1_000;
const stopTimeoutMs = 2_000;

/** An event to publish, and until when (monotonic clock) this process holds its claim. */
export type ClaimedEvent = { readonly message: OutgoingMessage; readonly untilMs: number };

export type Relay = AsyncDisposable & {
  /** How many more events {@link Relay.offer} accepts. */
  readonly room: number;
  /** Whether the broker is likely to confirm a publish now. */
  readonly ready: boolean;
  /**
   * Publishes the events as soon as the broker accepts them. Events beyond the available room, or
   * whose claim expires first, are dropped from memory; their rows stay in the outbox for the
   * sweep.
   */
  offer(events: readonly ClaimedEvent[]): void;
};

/**
 * Publishes events, with at most `maxUnconfirmed` of them unconfirmed, and calls `onConfirmed` with
 * the id of each event that the broker has confirmed, and routed if it is mandatory. An event whose
 * channel was lost is published again on the next one, while the claim lasts. After any other outcome
 * the event is left to the sweep. Disposing waits a limited time for unconfirmed events.
 */
export function createRelay(options: {
  readonly publisher: Publisher;
  readonly onConfirmed: (messageId: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
}): Relay {
  const { publisher, onConfirmed, clock, log, faults } = options;
  let queue: ClaimedEvent[] = [];
  // Published on a channel that was lost before the broker answered; waiting for the next one.
  let lost: ClaimedEvent[] = [];
  let unconfirmed = 0;
  let stopped = false;
  let idle: (() => void) | undefined;

  const settle = (event: ClaimedEvent, outcome: PublishOutcome) => {
    const { messageId, type } = event.message;
    unconfirmed -= 1;
    if (outcome === "confirmed") {
      faults.reach("relay.after-confirm");
      onConfirmed(messageId);
    } else if (outcome === "returned") {
      const line = "no queue is bound for this event; it stays in the outbox";
      steadyLogOf(log).warn({ messageId, type }, line, type);
    } else {
      // If the broker has it after all, the inboxes of its consumers drop the copy.
      if (outcome === "unknown" && lost.length < maxUnconfirmed) lost.push(event);
      log.debug({ messageId, type, outcome }, "an event was not confirmed; it stays in the outbox");
    }
    if (unconfirmed === 0) idle?.();
    pump();
  };

  const pump = () => {
    if (stopped || queue.length === 0 || !publisher.ready) return;
    const free = maxUnconfirmed - unconfirmed;
    if (free <= 0) return;
    const nowMs = clock.monotonicMs();
    if ((queue[0]?.untilMs ?? nowMs) < nowMs) {
      queue = queue.filter((event) => event.untilMs >= nowMs);
    }
    const batch = queue.slice(0, free);
    queue = queue.slice(batch.length);
    for (const event of batch) {
      if (event.untilMs < nowMs) continue;
      faults.reach("relay.before-publish");
      unconfirmed += 1;
      void publisher.publish(event.message).then((outcome) => settle(event, outcome));
    }
  };

  const endListening = publisher.onReady(() => {
    queue = [...lost, ...queue].slice(0, maxQueued);
    lost = [];
    pump();
  });
  return {
    get room() {
      return maxQueued - queue.length;
    },
    get ready() {
      return publisher.ready;
    },
    offer(events) {
      if (stopped) return;
      const nowMs = clock.monotonicMs();
      if (queue.length + events.length > maxQueued) {
        queue = queue.filter((event) => event.untilMs >= nowMs);
      }
      queue.push(...events.slice(0, maxQueued - queue.length));
      pump();
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      endListening();
      if (unconfirmed === 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        idle = resolve;
        timer = setTimeout(resolve, stopTimeoutMs);
      });
      clearTimeout(timer);
    },
  };
}
