import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import type { OutgoingMessage, Publisher, PublishOutcome } from "../broker/broker.ts";
import { groupEvents, packEvents } from "./event-batch.ts";

const maxQueued = 10_000;
const maxUnconfirmed = 1_000;
const stopTimeoutMs = 2_000;
const refusedPauseMs = 1_000;

/**
 * How events travel. `off`: each alone. `on`: those that are published at the same time, and have
 * one type and partition, in one message. `with-singles`: like `on`, and each alone as well, for
 * listeners that read no batches.
 */
export type EventBatches = "off" | "with-singles" | "on";

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
 * the id of each event that the broker has confirmed, and routed if it is mandatory. While the claim
 * lasts, an event whose channel was lost is published again on the next one, and an event that was
 * refused, as a broker that is just starting does, shortly after. The events of a batch that no queue
 * takes are published alone; an event alone that no queue takes is left to the sweep. Disposing waits a limited time for unconfirmed events.
 */
export function createRelay(options: {
  readonly publisher: Publisher;
  readonly batches: EventBatches;
  readonly onConfirmed: (messageId: string) => void;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
}): Relay {
  const { publisher, batches, onConfirmed, newId, clock, log, faults } = options;
  let queue: ClaimedEvent[] = [];
  // Not confirmed: their channel was lost, or the broker has refused them.
  let unpublished: ClaimedEvent[] = [];
  let refusedTimer: NodeJS.Timeout | undefined;
  let unconfirmed = 0;
  let stopped = false;
  let idle: (() => void) | undefined;

  const settle = (events: readonly ClaimedEvent[], outcome: PublishOutcome) => {
    unconfirmed -= events.length;
    for (const event of events) settleOne(event, outcome);
    if (unconfirmed === 0) idle?.();
    pump();
  };
  const settleOne = (event: ClaimedEvent, outcome: PublishOutcome) => {
    const { messageId, type } = event.message;
    if (outcome === "confirmed") {
      faults.reach("relay.after-confirm");
      onConfirmed(messageId);
    } else if (outcome === "returned") {
      const line = "no queue is bound for this event; it stays in the outbox";
      steadyLogOf(log).warn({ messageId, type }, line, type);
    } else {
      // If the broker has it after all, the inboxes of its consumers drop the copy.
      if (unpublished.length < maxUnconfirmed) unpublished.push(event);
      if (outcome === "nacked" && !stopped) {
        refusedTimer ??= setTimeout(publishAgain, refusedPauseMs);
      }
      log.debug({ messageId, type, outcome }, "an event was not confirmed; it stays in the outbox");
    }
  };

  const publishAlone = async (event: ClaimedEvent, message = event.message) =>
    settle([event], await publisher.publish(message));
  const publishTogether = async (
    events: readonly [ClaimedEvent, ClaimedEvent, ...ClaimedEvent[]],
  ) => {
    const [first, ...others] = events;
    const batch = packEvents([first.message, ...others.map(({ message }) => message)], newId());
    const outcome = await publisher.publish(batch);
    if (outcome === "returned") {
      const { type } = first.message;
      steadyLogOf(log).warn({ type }, "no queue takes batches of this event", `${type} batch`);
      for (const event of events) void publishAlone(event);
    } else if (outcome === "confirmed" && batches === "with-singles") {
      for (const event of events) {
        void publishAlone(event, { ...event.message, isMandatory: false });
      }
    } else {
      settle(events, outcome);
    }
  };

  const pump = () => {
    if (stopped || queue.length === 0 || !publisher.ready) return;
    const free = maxUnconfirmed - unconfirmed;
    if (free <= 0) return;
    const nowMs = clock.monotonicMs();
    if ((queue[0]?.untilMs ?? nowMs) < nowMs) {
      queue = queue.filter((event) => event.untilMs >= nowMs);
    }
    const claimed = queue.slice(0, free).filter((event) => event.untilMs >= nowMs);
    queue = queue.slice(free);
    for (const _ of claimed) faults.reach("relay.before-publish");
    unconfirmed += claimed.length;
    const groups = batches === "off" ? claimed.map((event) => [event]) : groupEvents(claimed);
    for (const [first, second, ...others] of groups) {
      if (first && second) void publishTogether([first, second, ...others]);
      else if (first) void publishAlone(first);
    }
  };

  const publishAgain = () => {
    clearTimeout(refusedTimer);
    refusedTimer = undefined;
    queue = [...unpublished, ...queue].slice(0, maxQueued);
    unpublished = [];
    pump();
  };
  const endListening = publisher.onReady(publishAgain);
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
      clearTimeout(refusedTimer);
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
