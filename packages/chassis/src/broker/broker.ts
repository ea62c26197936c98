import type { Logger } from "pino";
import {
  type BrokerCounts,
  type BrokerLimits,
  startBrokerConnection,
} from "./broker-connection.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { countQueues, type QueueCounts } from "./queue-counts.ts";
import { createSubscription, type Subscription, type SubscriptionOptions } from "./subscription.ts";

export type { BrokerCounts, BrokerLimits } from "./broker-connection.ts";
export type { OutgoingMessage, Publisher, PublishOutcome } from "./publisher.ts";
export type { Delivery, Subscription, SubscriptionOptions } from "./subscription.ts";

const defaultLimits: BrokerLimits = {
  connectTimeoutMs: 5_000,
  heartbeatS: 5,
  firstPauseMs: 100,
  longestPauseMs: 2_000,
  channelTimeoutMs: 15_000,
  closeTimeoutMs: 1_000,
  maxUnconfirmed: 5_000,
};

/**
 * A service's connection to RabbitMQ, to publish and to consume. Disposing ends the subscriptions
 * and then closes the connections. It takes at most three times the close timeout, whatever the
 * broker does.
 */
export type Broker = AsyncDisposable & {
  readonly publisher: Publisher;
  readonly counts: Readonly<BrokerCounts>;
  /** Starts consuming as soon as there is a connection and the queue exists. */
  subscribe(options: SubscriptionOptions): Subscription;
  /**
   * Returns the counts of the queues that exist; of fewer if the broker does not answer in time, and
   * of none without a connection. Never rejects.
   */
  countQueues(names: readonly string[], timeoutMs: number): Promise<readonly QueueCounts[]>;
};

/**
 * Starts connecting in the background and retries indefinitely. A broker that is unavailable, or
 * becomes unavailable, never causes an error here. Publishing and consuming have one connection
 * each, because a broker that is short of memory stops reading from publishing connections, and
 * acknowledgements must continue. `name` identifies the connections in the broker's own tools.
 *
 * Throws only for an invalid `url`.
 */
export function createBroker(options: {
  readonly url: string;
  readonly name: string;
  readonly log: Logger;
  readonly limits?: Partial<BrokerLimits>;
}): Broker {
  const { url, name, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const counts = { confirmed: 0, returned: 0, nacked: 0, unknown: 0, closedChannels: 0 };
  const connectionFor = (purpose: string) =>
    startBrokerConnection({ url, name: `${name} ${purpose}`, limits, log: log.child({ purpose }) });
  const publishing = connectionFor("publish");
  const consuming = connectionFor("consume");
  const publisher = createPublisher({ connection: publishing, limits, counts, log });
  const subscriptions: Subscription[] = [];

  return {
    publisher,
    counts,
    subscribe(subscribed) {
      const subscription = createSubscription({
        ...subscribed,
        connection: consuming,
        limits,
        counts,
        log,
      });
      subscriptions.push(subscription);
      return subscription;
    },
    async countQueues(names, timeoutMs) {
      return consuming.link ? countQueues(consuming.link, names, timeoutMs) : [];
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
