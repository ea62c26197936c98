import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Channel, Connection, ConsumeMessage } from "amqplib/callback_api";
import type { Logger } from "pino";
import { steadyLogOf } from "../base/steady-log.ts";
import { type AckWindow, createAckWindow } from "./ack-window.ts";
import { keepChannel } from "./broker-channel.ts";
import {
  type BrokerConnection,
  type BrokerCounts,
  type BrokerLimits,
  safely,
  withoutThrow,
} from "./broker-connection.ts";

const maxCopiesWaiting = 10_000;

/** A message from a queue, with the functions that settle it. */
export type Delivery = {
  readonly messageId: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly redelivered: boolean;
  /** As the publisher set it, in whole seconds. */
  readonly timestampMs: number | undefined;
  /**
   * Acknowledges the message. Bound to the channel that delivered it: no effect once that is
   * closed. A second settle is ignored.
   */
  ack(): void;
  /** Returns the message to the queue, which redelivers it at once and counts the deliveries. */
  requeue(): void;
};

/**
 * Disposing stops consuming but leaves the channel open, so that delivered messages can still be
 * settled. The channel closes with the last of them, or with the broker.
 */
export type Subscription = AsyncDisposable & {
  /** Whether deliveries can currently arrive. */
  readonly consuming: boolean;
  /**
   * Stops consuming until {@link Subscription.resume} and closes the channel, so that unsettled
   * messages go back to the queue. Resolves when that is done.
   */
  pause(): Promise<void>;
  resume(): void;
};

export type SubscriptionOptions = {
  /**
   * The queue to consume from; or a fanout exchange, whose messages are copied to a queue of the
   * subscription's own. That queue exists as long as its channel and drops its oldest messages when
   * too many are waiting.
   */
  readonly queue: string | { readonly copying: string };
  /** How many unsettled messages the broker delivers at most. */
  readonly prefetch: number;
  /** Must not throw; if it does, the message goes back to the queue. */
  readonly onDelivery: (delivery: Delivery) => void;
  /** Called each time the channel closes: unsettled messages will be delivered again. */
  readonly onClosed?: () => void;
};

/** Consumes from the queue on a channel of its own, which is reopened on each new link. */
export function createSubscription(
  options: SubscriptionOptions & {
    readonly connection: BrokerConnection;
    readonly limits: BrokerLimits;
    readonly counts: BrokerCounts;
    readonly log: Logger;
  },
): Subscription {
  const { queue, onClosed, connection, limits, counts, log } = options;
  let consumer: Consumer | undefined;
  let kept: { stop: AbortController; closed: Promise<void> } | undefined;
  let wanted = true;
  let disposing: Promise<void> | undefined;

  const pause = async () => {
    wanted = false;
    consumer?.acks.flush();
    kept?.stop.abort();
    await kept?.closed;
  };
  const create = (on: Connection, ready: () => void): Channel => {
    const opening = openConsumer(on, options, {
      onConsuming(consuming) {
        consumer = consuming;
        ready();
      },
      onSettled({ acks }) {
        if (disposing && acks.unsettled === 0) void pause();
      },
    });
    opening.on("close", () => {
      consumer = undefined;
      if (disposing) kept?.stop.abort();
      safely(log, () => onClosed?.());
    });
    return opening;
  };
  const begin = () => {
    const { link } = connection;
    if (!wanted || kept !== undefined || link === undefined) return;
    const stop = new AbortController();
    const what = `channel consuming ${typeof queue === "string" ? queue : queue.copying}`;
    const keeping = keepChannel({ what, link, create, signal: stop.signal, limits, counts, log });
    const closed = keeping.then(() => {
      kept = undefined;
      // A resume, or another link, may have come while the channel was closing.
      begin();
    });
    kept = { stop, closed };
  };
  const endListening = connection.onLink(begin);
  begin();

  const dispose = async () => {
    wanted = false;
    endListening();
    if (consumer === undefined) return pause();
    const { cancel, acks } = consumer;
    const timeout = sleep(limits.closeTimeoutMs, undefined, { ref: false });
    await Promise.race([cancel(), kept?.closed, timeout]);
    if (acks.unsettled === 0) await pause();
  };

  return {
    get consuming() {
      return wanted && consumer !== undefined;
    },
    pause,
    resume() {
      if (disposing) return;
      wanted = true;
      begin();
    },
    [Symbol.asyncDispose]() {
      disposing ??= dispose();
      return disposing;
    },
  };
}

/** A consumer on its channel, once the broker has started it. */
type Consumer = {
  readonly acks: AckWindow<ConsumeMessage>;
  /** Resolves when no further message can arrive, or the channel is closed. */
  cancel(): Promise<void>;
};

/**
 * Opens a channel and starts a consumer on it. Its deliveries are bound to this channel: on another
 * channel, the same delivery tag is a different message.
 */
function openConsumer(
  on: Connection,
  options: SubscriptionOptions & { readonly log: Logger },
  events: { onConsuming(consumer: Consumer): void; onSettled(consumer: Consumer): void },
): Channel {
  const { queue, prefetch, onDelivery, log } = options;
  const channel = on.createChannel((failure) => {
    if (failure) return;
    channel.prefetch(prefetch, false);
    const name = typeof queue === "string" ? queue : declareCopying(channel, queue.copying);
    channel.consume(name, take, { consumerTag: tag }, (refusal) => {
      if (!refusal) events.onConsuming(consumer);
    });
  });
  // We choose the tag; it only has to be unique on its channel.
  const tag = "messages";
  const acks = createAckWindow<ConsumeMessage>((message, upTo) =>
    withoutThrow(() => channel.ack(message, upTo)),
  );
  const consumer: Consumer = {
    acks,
    cancel: () =>
      new Promise((resolve) => withoutThrow(() => channel.cancel(tag, () => resolve()))),
  };
  const settlementOf = (message: ConsumeMessage) => {
    let settled = false;
    return (requeue: boolean) => {
      if (settled) return;
      settled = true;
      if (requeue) {
        acks.forgotten(message);
        withoutThrow(() => channel.reject(message, true));
      } else {
        acks.acked(message);
      }
      events.onSettled(consumer);
    };
  };
  const take = (message: ConsumeMessage | null) => {
    if (message === null) {
      steadyLogOf(log).warn({ queue }, "the broker cancelled the consumer", String(queue));
      acks.flush();
      return withoutThrow(() => channel.close());
    }
    acks.delivered(message);
    const delivery = deliveryOf(message, settlementOf(message));
    if (!safely(log, () => onDelivery(delivery))) delivery.requeue();
  };
  return channel;
}

/** Declares a queue that gets a copy of every message of the exchange, and returns its name. */
function declareCopying(channel: Channel, exchange: string): string {
  // A new name each time: the previous queue may still be locked by a connection that is gone.
  const name = `${exchange}.${randomUUID()}`;
  channel.assertQueue(name, {
    exclusive: true,
    autoDelete: true,
    durable: false,
    arguments: {
      "x-queue-type": "classic",
      "x-max-length": maxCopiesWaiting,
      "x-overflow": "drop-head",
    },
  });
  channel.bindQueue(name, exchange, "");
  return name;
}

function deliveryOf(message: ConsumeMessage, settle: (requeue: boolean) => void): Delivery {
  const { messageId, type, headers, timestamp } = message.properties;
  return {
    messageId: textOrNone(messageId),
    type: textOrNone(type),
    body: message.content,
    headers: headers ?? {},
    redelivered: message.fields.redelivered,
    timestampMs: typeof timestamp === "number" ? timestamp * 1_000 : undefined,
    ack: () => settle(false),
    requeue: () => settle(true),
  };
}

function textOrNone(property: unknown): string | undefined {
  return typeof property === "string" ? property : undefined;
}
