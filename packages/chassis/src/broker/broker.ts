import type { Logger } from "pino";
import { type BrokerLimits, startBrokerConnection } from "./broker-connection.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { createSubscription, type Subscription, type SubscriptionOptions } from "./subscription.ts";

export type { BrokerLimits } from "./broker-connection.ts";
export type { OutgoingMessage, Publisher, PublishOutcome } from "./publisher.ts";
export type { Delivery, Subscription, SubscriptionOptions } from "./subscription.ts";

const defaultLimits: BrokerLimits = {
  connectTimeoutMs: 5_000,
  heartbeatS: 10,
  firstPauseMs: 100,
  longestPauseMs: 5_000,
  channelTimeoutMs: 15_000,
  closeTimeoutMs: 1_000,
  maxUnconfirmed: 5_000,
};

/**
 * What a service publishes to and consumes from. Disposal ends the subscriptions, then closes the
 * connections; it takes at most three times the close timeout, whatever the broker does.
 */
export type Broker = AsyncDisposable & {
  readonly publisher: Publisher;
  /** Starts consuming as soon as there is a connection and the queue exists. */
  subscribe(options: SubscriptionOptions): Subscription;
};

/**
 * Starts connecting at once, in the background, and never stops trying: a broker that is away, or
 * goes away, throws nothing here and crashes nothing. Publishing and consuming have a connection
 * each, because a broker short of memory stops reading from those that publish, and acks must go
 * on. `name` is how the connections are called in the broker's own tools.
 *
 * Throws only for a `url` that is none.
 */
export function createBroker(options: {
  readonly url: string;
  readonly name: string;
  readonly log: Logger;
  readonly limits?: Partial<BrokerLimits>;
}): Broker {
  const { url, name, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const connectionFor = (purpose: string) =>
    startBrokerConnection({ url, name: `${name} ${purpose}`, limits, log: log.child({ purpose }) });
  const publishing = connectionFor("publish");
  const consuming = connectionFor("consume");
  const publisher = createPublisher({ connection: publishing, limits, log });
  const subscriptions: Subscription[] = [];

  return {
    publisher,
    subscribe(subscribed) {
      const subscription = createSubscription({
        ...subscribed,
        connection: consuming,
        limits,
        log,
      });
      subscriptions.push(subscription);
      return subscription;
    },
    async [Symbol.asyncDispose]() {
      const ended = subscriptions.map(async (subscription) => {
        await subscription[Symbol.asyncDispose]();
        await subscription.pause();
      });
      await Promise.all(ended);
      await Promise.all([publishing[Symbol.asyncDispose](), consuming[Symbol.asyncDispose]()]);
    },
  };
}
