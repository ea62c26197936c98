import type { Channel, ConfirmChannel, Connection, Options } from "amqplib/callback_api";
import type { Logger } from "pino";
import { steadyLogOf } from "../base/steady-log.ts";
import { TransientMap } from "../base/transient-map.ts";
import { publishes } from "../metrics/metrics.ts";
import { keepChannel } from "./broker-channel.ts";
import {
  type BrokerConnection,
  type BrokerCounts,
  type BrokerLimits,
  safely,
} from "./broker-connection.ts";

/** A message to publish to an exchange; the fields are named after the AMQP properties. */
export type OutgoingMessage = {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly messageId: string;
  readonly type: string;
  /** Sent in whole seconds. */
  readonly timestampMs: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Default: `application/x-protobuf`. */
  readonly contentType?: string;
  /** Whether some queue has to take it; default: true. */
  readonly isMandatory?: boolean;
};

/**
 * The outcome of a publish.
 * - `confirmed`: stored in every queue that it is routed to; in at least one if it is mandatory.
 * - `returned`: mandatory, not routed to any queue, and dropped.
 * - `nacked`: refused by the broker (a full queue) or by our own limit, and not queued. Try again.
 * - `unknown`: not sent, or the channel closed before the broker answered. The message may or may
 *   not be queued.
 */
export type PublishOutcome = "confirmed" | "returned" | "nacked" | "unknown";

export type Publisher = {
  /** Whether a publish is likely to be confirmed: connected, channel open and not blocked. */
  readonly ready: boolean;
  /**
   * Publishes the message as persistent, and as mandatory unless it says otherwise. Never rejects
   * or throws. Resolves immediately with `unknown` while not ready, and with `nacked` above the
   * limit of unconfirmed messages or if AMQP cannot carry the message (names above 255 bytes).
   * There is no timeout: a blocked broker confirms late, and a lost one is detected by heartbeat.
   */
  publish(message: OutgoingMessage): Promise<PublishOutcome>;
  /**
   * Calls the listener each time the publisher becomes ready; returns a function to unsubscribe.
   */
  onReady(listener: () => void): () => void;
};

/** Creates a publisher with one confirm channel, which is reopened on each new link. */
export function createPublisher(options: {
  connection: BrokerConnection;
  limits: BrokerLimits;
  counts: BrokerCounts;
  log: Logger;
}): Publisher {
  const { connection, limits, counts, log } = options;
  const readyListeners = new Set<() => void>();
  const unconfirmed = createUnconfirmed(counts);
  let channel: ConfirmChannel | undefined;
  let blocked = false;

  const announce = () => {
    for (const listener of readyListeners) safely(log, listener);
  };

  const create = (on: Connection, ready: () => void): Channel => {
    const created = on.createConfirmChannel((error) => {
      if (error) return;
      channel = created;
      ready();
      if (!blocked) announce();
    });
    // The broker returns a message before it confirms it: the confirm finds it settled.
    created.on("return", ({ properties }) => {
      unconfirmed.settle(Number(properties.correlationId), "returned");
    });
    // Runs before amqplib's own listener, which reports every message as refused.
    created.prependListener("close", () => {
      channel = undefined;
      unconfirmed.settleAll("unknown");
    });
    return created;
  };

  connection.onLink((link) => {
    blocked = false;
    link.connection.on("blocked", () => {
      blocked = true;
    });
    link.connection.on("unblocked", () => {
      blocked = false;
      if (channel) announce();
    });
    link.gone.addEventListener("abort", () => {
      channel = undefined;
    });
    void keepChannel({
      what: "publish channel",
      link,
      create,
      signal: link.gone,
      limits,
      counts,
      log,
    });
  });

  return {
    get ready() {
      return channel !== undefined && !blocked;
    },
    publish(message) {
      if (channel === undefined || blocked) return Promise.resolve("unknown");
      if (unconfirmed.size >= limits.maxUnconfirmed) return Promise.resolve("nacked");
      const { exchange, routingKey, body } = message;
      const { sequence, outcome } = unconfirmed.add();
      const properties = propertiesOf(message, sequence);
      try {
        channel.publish(exchange, routingKey, bufferOf(body), properties, (refusal) =>
          unconfirmed.settle(sequence, refusal ? "nacked" : "confirmed"),
        );
      } catch (error) {
        const fields = { err: error, messageId: message.messageId };
        steadyLogOf(log).error(fields, "a message could not be sent");
        unconfirmed.settle(sequence, "nacked");
      }
      return outcome;
    },
    onReady(listener) {
      readyListeners.add(listener);
      return () => readyListeners.delete(listener);
    },
  };
}

/** Messages that wait for their outcome, each by a number that is never reused. */
function createUnconfirmed(counts: BrokerCounts) {
  const waiting = new TransientMap<(outcome: PublishOutcome) => void>();
  let lastSequence = 0;
  const settle = (sequence: number, outcome: PublishOutcome) => {
    const settled = waiting.get(sequence);
    if (!settled) return;
    waiting.delete(sequence);
    counts[outcome] += 1;
    publishes.inc({ outcome });
    settled(outcome);
  };
  return {
    get size() {
      return waiting.size;
    },
    add() {
      lastSequence += 1;
      const { promise: outcome, resolve } = Promise.withResolvers<PublishOutcome>();
      waiting.set(lastSequence, resolve);
      return { sequence: lastSequence, outcome };
    },
    /** Has no effect on a message that is already settled. */
    settle,
    settleAll(outcome: PublishOutcome) {
      for (const sequence of waiting.keys()) settle(sequence, outcome);
    },
  };
}

function propertiesOf(message: OutgoingMessage, sequence: number): Options.Publish {
  return {
    mandatory: message.isMandatory ?? true,
    persistent: true,
    contentType: message.contentType ?? "application/x-protobuf",
    messageId: message.messageId,
    type: message.type,
    timestamp: Math.floor(message.timestampMs / 1_000),
    headers: message.headers ?? {},
    // A returned message comes back without its delivery tag, and two in flight may share an id.
    correlationId: String(sequence),
  };
}

function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
