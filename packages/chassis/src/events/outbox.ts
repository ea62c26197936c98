import assert from "node:assert/strict";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import type { CheckedClock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { startLoop } from "../base/loop.ts";
import type { Publisher } from "../broker/broker.ts";
import type { Publications } from "../contract/routes.ts";
import { partitionHeader, partitionOf } from "../contract/topology.ts";
import type { Database, Transaction } from "../database/database.ts";
import { createConfirmedEvents } from "./confirmed-events.ts";
import { sampleOutbox } from "./outbox-sample.ts";
import { createRelay, type EventBatches } from "./relay.ts";

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

/**
 * The migration to a table whose only index is that of its key, the id. The sweep goes through the
 * table by id, so that storing an event maintains one index.
 */
export const outboxByIdOnly = "DROP INDEX outbox_claimed_until;";

const claimMs = 10_000;
// The process treats its claim as expired this much earlier than the database does.
const claimMarginMs = 1_000;
const sweepIntervalMs = 1_000;
const sweepBatchSize = 500;
const beforeAllIds = "00000000-0000-0000-0000-000000000000";
const depthSampleIntervalMs = 5_000;

/** An event to publish: `payload` is the encoded message, `type` its full protobuf name. */
export type OutboxEvent = {
  /** A UUIDv7, created before the transaction and the same each time the event is published. */
  readonly id: string;
  readonly type: string;
  /** Whose event it is; decides its partition. */
  readonly userId: string;
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
  message: MessageShape<Schema> & { readonly userId: string },
  { id, createTimeMs }: { readonly id: string; readonly createTimeMs: number },
): OutboxEvent {
  const { userId } = message;
  return { id, type: schema.typeName, userId, payload: toBinary(schema, message), createTimeMs };
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
  readonly batches: EventBatches;
  readonly newId: () => string;
  /** Is compared with the database's clock every few seconds. */
  readonly clock: CheckedClock;
  readonly log: Logger;
  readonly faults: Faults;
}): Outbox {
  const { database, publisher, exchange, publications, maxDepth } = options;
  const { batches, newId, clock, log, faults } = options;
  let depth = 0;
  let sampledMs = Number.NEGATIVE_INFINITY;
  /** Where the sweep goes on, so that events which nobody takes do not keep it from the others. */
  let sweptId = beforeAllIds;

  const confirmed = createConfirmedEvents({ database, log });
  const relay = createRelay({
    publisher,
    batches,
    newId,
    clock,
    log,
    faults,
    onConfirmed: confirmed.add,
  });
  const claimed = (event: OutboxEvent, claimedMs: number) => ({
    message: {
      exchange,
      routingKey: event.type,
      body: event.payload,
      messageId: event.id,
      type: event.type,
      timestampMs: event.createTimeMs,
      headers: { [partitionHeader]: partitionOf(event.userId) },
      // Of a type that another version of the service has written, nothing is lost by mistake.
      isMandatory: publications.get(event.type)?.isMandatory ?? true,
    },
    untilMs: claimedMs + claimMs - claimMarginMs,
  });

  /** Whose event it is; nobody's if this version of the service cannot read it. */
  const userOf = ({ type, payload }: Pick<OutboxEvent, "type" | "payload">) => {
    const schema = publications.get(type)?.schema;
    try {
      const event = schema && fromBinary(schema, payload);
      return event && "userId" in event ? String(event.userId) : "";
    } catch {
      return "";
    }
  };
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
         SELECT id FROM outbox WHERE id > $3 AND claimed_until < now()
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
       ))
       RETURNING id, type, payload, (extract(epoch FROM create_time) * 1000)::bigint AS created_ms`,
      [claimMs, sweepBatchSize, sweptId],
    );
    const isEnd = rows.length < sweepBatchSize;
    sweptId = isEnd
      ? beforeAllIds
      : rows.reduce((last, { id }) => (id > last ? id : last), sweptId);
    relay.offer(
      rows.map((row) => {
        const [userId, createTimeMs] = [userOf(row), Number(row.created_ms)];
        return claimed({ ...row, userId, createTimeMs }, claimedMs);
      }),
    );
    if (!isEnd) sweep.wake();
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
      const ids = confirmed.take();
      transaction.afterRollback(() => confirmed.giveBack(ids));
      transaction.afterCommit(() => {
        relay.offer(events.map((event) => claimed(event, transaction.startedMs)));
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
      await confirmed[Symbol.asyncDispose]();
    },
  };
}
