import { counter, gauge, histogram } from "./registry.ts";

/** The metrics of every service; see docs/reference/metrics.md, which is generated from them. */
const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128];

export const calls = histogram({
  name: "settle_rpc_duration_seconds",
  help: "Duration of calls, by service, method and code: `ok` or a code of Connect. Streams count when they end.",
  labels: ["service", "method", "code"],
});

export const replays = counter({
  name: "settle_idempotency_replays_total",
  help: "Calls that were answered with the stored answer of an earlier call, by method.",
  labels: ["method"],
});

export const quotaRefusals = counter({
  name: "settle_quota_refusals_total",
  help: "Calls that were refused because their user had used up a quota, by quota.",
  labels: ["quota"],
});

export const batchItems = histogram({
  name: "settle_batch_items",
  help: "Items in a batch that was written in one transaction, by kind: a method, or `events`.",
  labels: ["kind"],
  buckets: sizeBuckets,
});

export const batchDuration = histogram({
  name: "settle_batch_duration_seconds",
  help: "Duration of the transaction of a batch, with retries, by kind and result: `ok` or `failed`.",
  labels: ["kind", "result"],
});

export const setAside = counter({
  name: "settle_set_aside_total",
  help: "Times a user was set aside because another transaction had locked their rows, by kind.",
  labels: ["kind"],
});

export const outboxEvents = gauge({
  name: "settle_outbox_events",
  help: "Events in the outbox, sampled every five seconds, up to MAX_OUTBOX_DEPTH.",
});

export const outboxAge = gauge({
  name: "settle_outbox_oldest_age_seconds",
  help: "Age of the oldest event in the outbox when it was sampled; 0 if it is empty.",
});

export const openDeadLetters = gauge({
  name: "settle_dead_letters",
  help: "Dead letters that nobody has redriven, parked or discarded, sampled every five seconds, up to 10,000.",
});

export const publishes = counter({
  name: "settle_publishes_total",
  help: "Messages that were published, by outcome: `confirmed`, `returned`, `nacked` or `unknown`.",
  labels: ["outcome"],
});

export const brokerConnected = gauge({
  name: "settle_broker_connected",
  help: "1 while the service can publish, else 0.",
});

export const receivedEvents = counter({
  name: "settle_events_received_total",
  help: "Events from the work queue, by type and outcome: `handled`, `duplicate`, `retried`, `set_aside`, `sent_alone`, `dead_letter` or `left` (delivered again later).",
  labels: ["type", "outcome"],
});

export const eventLag = histogram({
  name: "settle_event_lag_seconds",
  help: "Time from the creation of an event until it was handled, by type.",
  labels: ["type"],
});

export const connections = gauge({
  name: "settle_database_connections",
  help: "Connections to the database, by pool (`read` or `write`) and state: `used`, `idle`, or `waiting` for calls that wait for one.",
  labels: ["pool", "state"],
});

export const untakenBytes = gauge({
  name: "settle_untaken_answer_bytes",
  help: "Bytes of answers that wait for their readers.",
});
