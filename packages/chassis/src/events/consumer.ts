import { AssertionError } from "node:assert";
import { setTimeout as pause } from "node:timers/promises";
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import type { Broker, Delivery } from "../broker/broker.ts";
import { topologyOf } from "../contract/topology.ts";
import { createValidation } from "../contract/validation.ts";
import type { Database, Transaction } from "../database/database.ts";
import { failureOf } from "../database/database-failure.ts";
import { BatcherFullError } from "../writes/batcher.ts";
import { createTransactionBatcher } from "../writes/transaction-batcher.ts";
import { claimMessages, refusalOfId, releaseMessages } from "./inbox.ts";
import { createRedelivery } from "./redelivery.ts";

const prefetch = 512;
const databasePauseMs = 500;
// What is not settled by then, for a broker that is blocked or a database that is slow, comes again.
const stopTimeoutMs = 3_000;
const maxPauseMs = 15_000;
const leftOut = Symbol("left out");

/** A message whose event is new to this service. */
export type Message<Schema extends DescMessage> = {
  /** The event's id, the same on every re-publish. */
  readonly id: string;
  readonly event: MessageShape<Schema>;
  readonly receiveTimeMs: number;
};

/**
 * Takes effect for all the messages, in arrival order, inside the transaction that has just
 * remembered them. Returns the ids of those that came too early to be understood; they are
 * forgotten again and come back later. Throws to undo everything.
 */
export type MessageHandler<Schema extends DescMessage> = (
  transaction: Transaction,
  messages: readonly Message<Schema>[],
) => Promise<{ readonly tooEarly: readonly string[] }>;

export type Consumer = AsyncDisposable & {
  /** Whether messages are being taken from the broker now. */
  readonly consuming: boolean;
};

type Received<Schema extends DescMessage> = Message<Schema> & { readonly delivery: Delivery };
type Outcome = "handled" | "duplicate" | "too early";

/**
 * Handles the messages on the service's work queue, each exactly once however often it arrives:
 * what has arrived goes through one transaction that first remembers the message ids (inbox) and
 * then calls `handle` for those that are new; each is acknowledged after the commit.
 *
 * A message that cannot be understood goes to the dead letters by itself, at once. A batch that
 * fails is halved until the guilty message is alone; a permanent failure puts that one into the
 * dead letters, any other lets it wait in the retry queues, a limited number of times. While the
 * database is away nothing is taken from the broker.
 */
export function createConsumer<Schema extends DescMessage>(options: {
  readonly service: string;
  readonly schemas: readonly Schema[];
  readonly handle: MessageHandler<Schema>;
  readonly broker: Broker;
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
  readonly faults: Faults;
}): Consumer {
  const { service, handle, broker, database, clock, newId, log, faults } = options;
  const topology = topologyOf(service);
  const schemas = new Map(options.schemas.map((schema) => [schema.typeName, schema]));
  const validation = createValidation(schemas.values());
  const stopping = new AbortController();
  const settling = new Set<Promise<void>>();
  const { retryLater, deadLetter } = createRedelivery({
    service,
    clock,
    log,
    publisher: broker.publisher,
    signal: stopping.signal,
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

  const batcher = createTransactionBatcher({
    database,
    run: handleBatch,
    maxWaiting: 2 * prefetch,
  });

  const waitWhileRunning = (ms: number) =>
    pause(ms, undefined, { signal: stopping.signal }).catch(() => {});
  const waitForDatabase = async () => {
    log.warn("the database is unavailable: consuming is paused");
    // What waits goes back to the queue with the channel; it must not be handled from here as well.
    taking.abort(leftOut);
    await subscription.pause();
    do {
      // Growing until a batch succeeds, so that a database that is back only for this question does
      // not wear out the messages' delivery counts.
      await waitWhileRunning(Math.min(databasePauseMs * 2 ** pauses, maxPauseMs));
      pauses += 1;
    } while (!stopping.signal.aborted && !(await isDatabaseBack()));
    if (stopping.signal.aborted) return;
    log.info("the database is available: consuming resumes");
    taking = new AbortController();
    subscription.resume();
  };
  // Asks by writing: a database that can only be read, or has a full disk, is not back.
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
      const outcome = await batcher.submit(message, {
        // What is delivered again may have killed its consumer before: it risks no other message.
        alone: delivery.redelivered,
        signal: taking.signal,
      });
      pauses = 0;
      faults.reach("consumer.before-ack");
      if (outcome === "too early") await retryLater(delivery, "still too early");
      else delivery.ack();
    } catch (error) {
      // Left unsettled: it goes back to the queue when the channel closes.
      if (error === leftOut) return;
      if (error instanceof BatcherFullError) return delivery.requeue();
      const failure = failureOf(error);
      if (failure === "unavailable") {
        probing ??= waitForDatabase().finally(() => {
          probing = undefined;
        });
        return;
      }
      log.error({ err: error, messageId: message.id }, "a message could not be handled");
      const permanent = failure === "refused" || error instanceof AssertionError;
      const reason = `failed: ${failure}`;
      await (permanent ? deadLetter(delivery, reason) : retryLater(delivery, reason));
    }
  };

  const read = (delivery: Delivery): Received<Schema> | string => {
    const { messageId, type, body } = delivery;
    const schema = type === undefined ? undefined : schemas.get(type);
    if (!schema) return `type ${type ?? "(none)"} is not handled here`;
    const refusal = refusalOfId(messageId, clock.nowMs());
    if (refusal !== undefined) return refusal;
    try {
      const event = fromBinary(schema, body);
      validation.check(schema, event);
      return { id: messageId ?? "", event, receiveTimeMs: clock.nowMs(), delivery };
    } catch (error) {
      if (error instanceof ConnectError)
        return `violates its validation rules: ${error.rawMessage}`;
      return `the body is not a valid ${schema.typeName}`;
    }
  };

  const subscription = broker.subscribe({
    queue: topology.work,
    prefetch,
    onDelivery(delivery) {
      const message = read(delivery);
      const settled = typeof message === "string" ? deadLetter(delivery, message) : settle(message);
      settling.add(settled);
      void settled.finally(() => settling.delete(settled));
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
      const ended = Promise.all([...settling, batcher[Symbol.asyncDispose](), probing]);
      await Promise.race([ended, pause(stopTimeoutMs, undefined, { ref: false })]);
    },
  };
}
