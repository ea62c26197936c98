import assert, { AssertionError } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import type { CheckedClock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import { TransientMap } from "../base/transient-map.ts";
import type { Broker } from "../broker/broker.ts";
import { topologyOf } from "../contract/topology.ts";
import type { Database, Transaction } from "../database/database.ts";
import { failureOf } from "../database/database-failure.ts";
import { UserLockedError } from "../writes/aside.ts";
import { BatcherFullError } from "../writes/batcher.ts";
import { createTransactionBatcher } from "../writes/transaction-batcher.ts";
import { createDeliveryCounts } from "./delivery-counts.ts";
import { batchSizes, laneOf } from "./delivery-lanes.ts";
import { eventsIn, maxBatchedEvents } from "./event-batch.ts";
import { claimMessages, releaseMessages } from "./inbox.ts";
import { createMessageReader, type Message, type Received } from "./message-reader.ts";
import { createRedelivery } from "./redelivery.ts";

export type { Message } from "./message-reader.ts";

const prefetch = 256;
// Messages that were delivered, and their copies after a lost channel.
const maxWaiting = 2 * prefetch * maxBatchedEvents;
const databasePauseMs = 500;
// Messages that are not settled by then (a blocked broker, a slow database) are delivered again.
const stopTimeoutMs = 3_000;
const maxPauseMs = 15_000;
const leftOut = Symbol("left out");

/**
 * Handles all messages, in arrival order, inside the transaction that has just inserted their ids
 * into the inbox. Returns the ids of those that arrived too early to be handled; they are removed
 * from the inbox and retried later. Throws to undo everything.
 */
export type MessageHandler<Schema extends DescMessage> = (
  transaction: Transaction,
  messages: readonly Message<Schema>[],
) => Promise<{ readonly tooEarly: readonly string[] }>;

export type Consumer = AsyncDisposable & {
  /** Whether messages are currently being consumed. */
  readonly consuming: boolean;
};

type Outcome = "handled" | "duplicate" | "too early";

/**
 * Handles the messages on the service's work queue. Each takes effect exactly once, however often
 * it is delivered: one transaction per batch first inserts the message ids into the inbox and then
 * calls `handle` for those that are new. Each message is acknowledged after the commit.
 *
 * A message that cannot be decoded or validated goes to the dead letters immediately. A batch that
 * fails is halved until the failing message is alone. After a permanent failure that message goes
 * to the dead letters; after any other failure it waits in the retry queues, a limited number of
 * times. While another transaction has locked the rows of a user, the messages of that user wait in
 * the retry queues, without a limit. While the database is unavailable, nothing is consumed.
 *
 * Redelivered messages run in smaller batches, beside the new ones; see `delivery-lanes.ts`. The
 * events of an {@link EventBatch} are messages of their own in all of this: each is settled, retried
 * and dead-lettered alone.
 */
export function createConsumer<Schema extends DescMessage>(options: {
  readonly service: string;
  readonly schemas: readonly Schema[];
  readonly handle: MessageHandler<Schema>;
  /** Whose event it is: messages of one user wait together while that user is locked. */
  readonly userOf: (event: MessageShape<Schema>) => string;
  /** See `createTransactionBatcher`. */
  readonly usersTable?: string | undefined;
  readonly broker: Broker;
  readonly database: Database;
  readonly clock: CheckedClock;
  readonly newId: () => string;
  readonly log: Logger;
  readonly faults: Faults;
}): Consumer {
  const { service, handle, userOf, usersTable, broker, database } = options;
  const { clock, newId, log, faults } = options;
  const topology = topologyOf(service);
  const read = createMessageReader(options.schemas, clock);
  const stopping = new AbortController();
  const settling = new TransientMap<Promise<void>>();
  let lastNumber = 0;
  const count = createDeliveryCounts(options.schemas, clock);
  const { retryLater, sendAlone, setAside, deadLetter } = createRedelivery({
    service,
    newId,
    clock,
    log,
    publisher: broker.publisher,
    signal: stopping.signal,
    count,
  });
  let taking = new AbortController();
  let probing: Promise<void> | undefined;
  let pauses = 0;

  const handleBatch = async (
    transaction: Transaction,
    batch: readonly Received<Schema>[],
  ): Promise<readonly Outcome[]> => {
    const newIds = new Set(await claimMessages(transaction, [...new Set(batch.map((m) => m.id))]));
    const fresh = new Set(batch.filter((message) => newIds.delete(message.id)));
    if (fresh.size === 0) return batch.map(() => "duplicate");
    const tooEarly = new Set((await handle(transaction, [...fresh])).tooEarly);
    if (tooEarly.size > 0) await releaseMessages(transaction, [...tooEarly]);
    return batch.map((message) => {
      if (tooEarly.has(message.id)) return "too early";
      return fresh.has(message) ? "handled" : "duplicate";
    });
  };

  const lanes = batchSizes.map((maxBatchSize) =>
    createTransactionBatcher({
      database,
      kind: "events",
      run: handleBatch,
      userOf: ({ event }) => userOf(event),
      usersTable,
      maxBatchSize,
      maxWaiting,
      maxWaitingPerUser: maxWaiting,
      // A message that kills its consumer is the first to return. If it also ran first each time,
      // those behind it would be delivered in vain as often as it is, and share its end.
      order: maxBatchSize === 1 ? "random" : "in turn",
    }),
  );

  const waitWhileRunning = (ms: number) =>
    pause(ms, undefined, { signal: stopping.signal }).catch(() => {});
  const waitForDatabase = async () => {
    const isNew = steadyLogOf(log).warn({}, "the database is unavailable: consuming is paused");
    // Waiting messages go back to the queue with the channel; they must not be handled here too.
    taking.abort(leftOut);
    await subscription.pause();
    do {
      // The pause grows until a batch succeeds, so that a database that is available only for this
      // check does not use up the delivery counts of the messages.
      await waitWhileRunning(Math.min(databasePauseMs * 2 ** pauses, maxPauseMs));
      pauses += 1;
    } while (!stopping.signal.aborted && !(await isDatabaseBack()));
    if (stopping.signal.aborted) return;
    log[isNew ? "info" : "debug"]("the database is available: consuming resumes");
    taking = new AbortController();
    subscription.resume();
  };
  // Checks with a write: a database that is read-only, or has a full disk, is not available.
  const isDatabaseBack = async () => {
    const id = newId();
    try {
      await database.transaction(async (transaction) => {
        await claimMessages(transaction, [id]);
        await releaseMessages(transaction, [id]);
      });
      return true;
    } catch {
      return false;
    }
  };

  const settle = async (message: Received<Schema>) => {
    const { delivery } = message;
    try {
      const lane = lanes[laneOf(delivery)] ?? assert.fail("there is a lane for every delivery");
      const outcome = await lane.submit(message, { signal: taking.signal });
      pauses = 0;
      faults.reach("consumer.before-ack");
      if (outcome === "too early") return await retryLater(delivery, "still too early");
      count(delivery, outcome);
      delivery.ack();
    } catch (error) {
      // Left unsettled: it goes back to the queue when the channel closes.
      if (error === leftOut) return count(delivery, "left");
      const failure = failureOf(error);
      if (
        error instanceof UserLockedError ||
        error instanceof BatcherFullError ||
        failure === "locked" ||
        failure === "busy"
      ) {
        const userId = userOf(message.event);
        steadyLogOf(log).warn({ err: error, userId }, "messages are set aside");
        return await setAside(delivery, userId);
      }
      if (failure === "unavailable") {
        count(delivery, "left");
        probing ??= waitForDatabase().finally(() => {
          probing = undefined;
        });
        return;
      }
      const fields = { err: error, messageId: message.id };
      steadyLogOf(log).error(fields, "a message could not be handled", failure);
      const permanent = failure === "refused" || error instanceof AssertionError;
      const reason = `failed: ${failure}`;
      await (permanent ? deadLetter(delivery, reason) : retryLater(delivery, reason));
    }
  };

  const begin = (settled: Promise<void>) => {
    const number = ++lastNumber;
    settling.set(number, settled);
    void settled.finally(() => settling.delete(number));
  };
  const subscription = broker.subscribe({
    queue: topology.work,
    prefetch,
    onClosed() {
      // Whatever waits will be delivered again.
      taking.abort(leftOut);
      taking = new AbortController();
    },
    onDelivery(delivery) {
      const events = eventsIn(delivery);
      if (typeof events === "string") return begin(deadLetter(delivery, events));
      // Each event of a batch that keeps coming back gets a number of deliveries of its own.
      const apart = events.length > 1 && laneOf(delivery) === batchSizes.length - 1;
      for (const event of events) {
        const message = read(event);
        if (typeof message === "string") begin(deadLetter(event, message));
        else begin(apart ? sendAlone(event) : settle(message));
      }
    },
  });

  return {
    get consuming() {
      return subscription.consuming;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      taking.abort(leftOut);
      await subscription[Symbol.asyncDispose]();
      const batches = lanes.map((lane) => lane[Symbol.asyncDispose]());
      const ended = Promise.all([...settling.values(), ...batches, probing]);
      await Promise.race([ended, pause(stopTimeoutMs, undefined, { ref: false })]);
    },
  };
}
