import { hash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import type { Broker, Delivery } from "../broker/broker.ts";
import { topologyOf } from "../contract/topology.ts";
import type { Database, Transaction } from "../database/database.ts";
import { eventsIn } from "./event-batch.ts";
import { deliveryHeader } from "./redelivery.ts";

/** The table of dead letters, for a migration of a service. */
export const deadLettersTable = `
  CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    deliveries text[] NOT NULL,
    state smallint NOT NULL DEFAULT 1,
    event_id text NOT NULL,
    type text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL,
    user_id text NOT NULL,
    order_id text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL
  );
  CREATE INDEX dead_letters_open ON dead_letters (reason, type) WHERE state = 1;
`;

// At most so many messages are unsettled, and stored in one transaction.
const prefetch = 64;
const firstPauseMs = 500;
const maxPauseMs = 15_000;
// The broker delivers again what was delivered last; older ones need not be known.
const maxDeliveries = 64;
const maxText = 1_000;
const maxHeader = 8_192;

type Row = {
  readonly digest: Uint8Array;
  readonly values: readonly unknown[];
};

/**
 * Moves the dead letters of a service from its queue on the broker into its table. A message is
 * acknowledged after its row is committed, and its delivery is remembered in the row, so that one
 * that is delivered again counts once. While the database is unavailable, messages stay on the
 * broker. An event that becomes a dead letter again is the same row, open again, with more attempts.
 * Disposing ends it.
 */
export function keepDeadLetters(options: {
  readonly service: string;
  /** The events whose user and order are read. */
  readonly schemas: readonly DescMessage[];
  readonly broker: Pick<Broker, "subscribe">;
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
  readonly faults: Faults;
}): AsyncDisposable {
  const { service, broker, database, clock, newId, log, faults } = options;
  const schemas = new Map(options.schemas.map((schema) => [schema.typeName, schema]));
  const stopping = new AbortController();
  const waiting: Delivery[] = [];
  let running: Promise<void> | undefined;

  const rowOf = (delivery: Delivery, deliveryId: string): Row => {
    const { messageId = "", type = "", body, headers } = delivery;
    const digest = hash(
      "sha256",
      Buffer.concat([Buffer.from(`${messageId}\n${type}\n`), body]),
      "buffer",
    );
    const { "x-reason": reason, "x-attempt": attempt, "x-first-seen": firstSeen } = headers;
    const nowMs = clock.nowMs();
    const { userId, orderId } = subjectOf(schemas.get(type), body);
    return {
      digest,
      values: [
        newId(),
        digest,
        storable(messageId),
        storable(type),
        storable(typeof reason === "string" ? reason : reasonOfBroker(headers)),
        1 + (Number.isInteger(attempt) ? Number(attempt) : 0),
        typeof firstSeen === "number" ? Math.min(firstSeen, nowMs) : nowMs,
        nowMs,
        storable(userId),
        storable(orderId),
        headersText(headers),
        body,
        [deliveryId],
      ],
    };
  };
  const store = (batch: readonly Delivery[]) => {
    const rows = batch.flatMap((delivery) => {
      const id = deliveryIdOf(delivery);
      const events = eventsIn(delivery);
      return (typeof events === "string" ? [delivery] : events).map((one) =>
        rowOf({ ...one, headers: { ...delivery.headers, ...one.headers } }, id),
      );
    });
    return database.transaction((transaction) => insertNew(transaction, rows));
  };
  const settle = async (batch: readonly Delivery[]) => {
    for (let tried = 1; !stopping.signal.aborted; tried += 1) {
      try {
        await store(batch);
        faults.reach("dead-letters.before-ack");
        for (const delivery of batch) delivery.ack();
        return;
      } catch (error) {
        steadyLogOf(log).warn({ err: error }, "dead letters could not be stored", "dead letters");
        const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(tried - 1, 10), maxPauseMs);
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };
  const run = async () => {
    // What arrives in the same turn is stored together.
    await new Promise(setImmediate);
    while (waiting.length > 0 && !stopping.signal.aborted) {
      await settle(waiting.splice(0, prefetch));
    }
    running = undefined;
  };
  const subscription = broker.subscribe({
    queue: topologyOf(service).deadLetters,
    prefetch,
    onClosed() {
      // They will be delivered again.
      waiting.length = 0;
    },
    onDelivery(delivery) {
      waiting.push(delivery);
      running ??= run();
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await subscription[Symbol.asyncDispose]();
      await running;
    },
  };
}

async function insertNew({ query }: Transaction, rows: readonly Row[]): Promise<void> {
  // In one order, so that replicas do not wait for each other in a circle.
  for (const { values } of rows.toSorted((a, b) => Buffer.compare(a.digest, b.digest))) {
    await query(
      `INSERT INTO dead_letters AS d (id, digest, event_id, type, reason, attempts, first_time,
         last_time, user_id, order_id, headers, body, deliveries)
       VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0), to_timestamp($8 / 1000.0),
         $9, $10, $11::jsonb, $12, $13)
       ON CONFLICT (digest) DO UPDATE SET state = 1, reason = excluded.reason,
         attempts = d.attempts + excluded.attempts, last_time = excluded.last_time,
         headers = excluded.headers,
         deliveries = (excluded.deliveries || d.deliveries)[1:${maxDeliveries}]
       WHERE NOT d.deliveries @> excluded.deliveries`,
      values,
    );
  }
}

/**
 * Identifies a delivery to the dead letters: the id that {@link deliveryHeader} carries. A message
 * that the broker moved has none; an id is made from its content and from when the broker moved it,
 * which stay the same when it is delivered again.
 */
function deliveryIdOf({ messageId, type, body, headers }: Delivery): string {
  const { [deliveryHeader]: id, "x-death": deaths } = headers;
  if (typeof id === "string") return storable(id);
  const told = `${messageId}\n${type}\n${JSON.stringify(deaths ?? null)}\n`;
  return hash("sha256", Buffer.concat([Buffer.from(told), body]), "hex");
}

function reasonOfBroker({ "x-death": deaths }: Delivery["headers"]): string {
  const why = Array.isArray(deaths) ? deaths[0]?.reason : undefined;
  return typeof why === "string" ? `the broker moved it: ${why}` : "unknown";
}

function subjectOf(schema: DescMessage | undefined, body: Uint8Array) {
  try {
    const event = (schema ? fromBinary(schema, body) : {}) as Record<string, unknown>;
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    return { userId: text(event.userId), orderId: text(event.orderId) };
  } catch {
    return { userId: "", orderId: "" };
  }
}

function headersText(headers: Delivery["headers"]): string {
  const text = storable(JSON.stringify(headers), maxHeader + 1).replaceAll("\\u0000", "");
  return text.length > maxHeader ? JSON.stringify({ truncated: text.slice(0, maxText) }) : text;
}

/** PostgreSQL stores neither NUL nor half a surrogate pair in a text. */
function storable(text: string, max = maxText): string {
  return text.replaceAll("\0", "").slice(0, max).toWellFormed();
}
