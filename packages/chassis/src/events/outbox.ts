import assert from "node:assert/strict";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import type { CheckedClock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { startLoop } from "../base/loop.ts";
import type { Publisher } from "../broker/broker.ts";
import type { Publications } from "../contract/routes.ts";
import type { Database, Transaction } from "../database/database.ts";
import { sampleOutbox } from "./outbox-sample.ts";
import { createRelay } from "./relay.ts";

/** The outbox table of {@link createOutbox}, for a service's first migration. */
export const outboxTable = `
  CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    payload bytea NOT NULL,
    create_time timestamptz NOT NULL,
    claimed_until timestamptz NOT NULL
  ) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
  );
  CREATE INDEX outbox_claimed_until ON outbox (claimed_until);
`;

const claimMs = 10_000;
// The process treats its claim as expired this much earlier than the database does.
const claimMarginMs = 1_000;
const sweepIntervalMs = 1_000;
const sweepBatchSize = 500;
const aloneDeleteMs = 100;
const maxDeletesPerWrite = 2_000;
const depthSampleIntervalMs = 5_000;

/** An event to publish: `payload` is the encoded message, `type` its full protobuf name. */
export type OutboxEvent = {
  /** A UUIDv7, created before the transaction and the same each time the event is published. */
  readonly id: string;
  readonly type: string;
  readonly payload: Uint8Array;
  readonly createTimeMs: number;
};

export type Outbox = AsyncDisposable & {
  /**
   * Whether so many events are waiting that no new work that creates events should be accepted. The
   * depth is sampled, so it may exceed `maxDepth` by what is accepted between two samples.
   */
  readonly full: boolean;
  /**
   * Stores the events together with the other effects of the transaction. After the commit they are
   * published directly from memory. Events that memory loses are found by the sweep of any replica.
   * Asserts that the service publishes events of these types.
   */
  write(transaction: Transaction, events: readonly OutboxEvent[]): Promise<void>;
  /** Claims and publishes a limited number of events whose claim has expired; returns how many. */
  sweepOnce(): Promise<number>;
};

/** Encodes `message` as the event `id`. */
export function outboxEvent<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  { id, createTimeMs }: { readonly id: string; readonly createTimeMs: number },
): OutboxEvent {
  return { id, type: schema.typeName, payload: toBinary(schema, message), createTimeMs };
}

/**
 * The transactional outbox of a service. A row is claimed for the process that wrote it, by the
 * database's clock. It is deleted only after the broker has confirmed its event, and has routed it if
 * the contract names a consumer to wait for: together with the next write, or by a separate statement
 * shortly after. Events are not ordered.
 */
export function createOutbox(options: {
  readonly database: Database;
  readonly publisher: Publisher;
  readonly exchange: string;
  /** The events of the service; see `publicationsOf`. */
  readonly publications: Publications;
  readonly maxDepth: number;
  /** Is compared with the database's clock every few seconds. */
  readonly clock: CheckedClock;
  readonly log: Logger;
  readonly faults: Faults;
}): Outbox {
  const { database, publisher, exchange, publications, maxDepth, clock, log, faults } = options;
  let confirmed: string[] = [];
  // Their transaction failed. The next one must not, in case somebody has locked such a row.
  const leftOver: string[] = [];
  let deleteTimer: NodeJS.Timeout | undefined;
  let deleting: Promise<void> = Promise.resolve();
  let depth = 0;
  let sampledMs = Number.NEGATIVE_INFINITY;
  let stopped = false;

  const takeConfirmed = () => {
    const taken = confirmed.slice(0, maxDeletesPerWrite);
    confirmed = confirmed.slice(taken.length);
    return taken;
  };
  const giveBack = (ids: readonly string[]) => {
    leftOver.push(...ids);
    scheduleDelete();
  };
  const scheduleDelete = () => {
    if (confirmed.length + leftOver.length === 0 || stopped) return;
    deleteTimer ??= setTimeout(() => {
      deleteTimer = undefined;
      deleting = deleteConfirmed();
    }, aloneDeleteMs);
  };
  const deleteConfirmed = async () => {
    const ids = [...leftOver.splice(0, maxDeletesPerWrite), ...takeConfirmed()];
    if (ids.length === 0) return;
    try {
      // A row that somebody has locked is left to the sweep.
      await database.query(
        `DELETE FROM outbox WHERE id = ANY(ARRAY(
           SELECT id FROM outbox WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED
         ))`,
        [ids],
      );
      scheduleDelete();
    } catch (error) {
      log.debug({ err: error }, "confirmed events could not be deleted yet");
      giveBack(ids);
    }
  };

  const relay = createRelay({
    publisher,
    clock,
    log,
    faults,
    onConfirmed: (id) => {
      confirmed.push(id);
      scheduleDelete();
    },
  });
  const claimed = (event: OutboxEvent, claimedMs: number) => ({
    message: {
      exchange,
      routingKey: event.type,
      body: event.payload,
      messageId: event.id,
      type: event.type,
      timestampMs: event.createTimeMs,
      // Of a type that another version of the service has written, nothing is lost by mistake.
      isMandatory: publications.get(event.type)?.isMandatory ?? true,
    },
    untilMs: claimedMs + claimMs - claimMarginMs,
  });

  const sampleDepth = async () => {
    if (clock.monotonicMs() - sampledMs < depthSampleIntervalMs) return;
    sampledMs = clock.monotonicMs();
    depth = await sampleOutbox(database, clock, maxDepth);
  };
  const sweepOnce = async () => {
    await sampleDepth();
    // Claiming events that cannot be published now would only keep them from other replicas.
    if (!relay.ready || relay.room < sweepBatchSize) return 0;
    const claimedMs = clock.monotonicMs();
    // ARRAY makes the subquery run once. In a join, it would run, and lock, again for each row.
    const rows = await database.query<{
      id: string;
      type: string;
      payload: Uint8Array;
      created_ms: string;
    }>(
      `UPDATE outbox SET claimed_until = now() + $1 * interval '1 millisecond'
       WHERE id = ANY(ARRAY(
         SELECT id FROM outbox WHERE claimed_until < now()
         ORDER BY claimed_until LIMIT $2 FOR UPDATE SKIP LOCKED
       ))
       RETURNING id, type, payload, (extract(epoch FROM create_time) * 1000)::bigint AS created_ms`,
      [claimMs, sweepBatchSize],
    );
    relay.offer(
      rows.map((row) => claimed({ ...row, createTimeMs: Number(row.created_ms) }, claimedMs)),
    );
    if (rows.length === sweepBatchSize) sweep.wake();
    return rows.length;
  };
  const sweep = startLoop({
    name: "outbox sweep",
    intervalMs: sweepIntervalMs,
    runOnce: sweepOnce,
    log,
  });
  const endListening = publisher.onReady(() => sweep.wake());

  return {
    get full() {
      return depth >= maxDepth;
    },
    async write(transaction, events) {
      for (const { type } of events) {
        assert(
          publications.has(type),
          `${type} is not among the events that the service publishes`,
        );
      }
      const ids = takeConfirmed();
      transaction.afterRollback(() => giveBack(ids));
      transaction.afterCommit(() => {
        relay.offer(events.map((event) => claimed(event, transaction.startedMs)));
        scheduleDelete();
      });
      await transaction.query(
        `WITH confirmed AS (DELETE FROM outbox WHERE id = ANY($1::uuid[]))
         INSERT INTO outbox (id, type, payload, create_time, claimed_until)
         SELECT id, type, payload, to_timestamp(created_ms / 1000.0),
                now() + $6 * interval '1 millisecond'
         FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[])
           AS event (id, type, payload, created_ms)`,
        [
          ids,
          events.map((event) => event.id),
          events.map((event) => event.type),
          events.map((event) => event.payload),
          events.map((event) => event.createTimeMs),
          claimMs,
        ],
      );
    },
    sweepOnce,
    async [Symbol.asyncDispose]() {
      endListening();
      await sweep[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      stopped = true;
      clearTimeout(deleteTimer);
      await deleting;
      const countLeft = () => confirmed.length + leftOver.length;
      for (let left = countLeft(); left > 0; left = countLeft()) {
        await deleteConfirmed();
        if (countLeft() >= left) break;
      }
    },
  };
}
