import { fromBinary } from "@bufbuild/protobuf";
import { retryDelays, retryQueueOf, topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import amqp, { type Channel, type ConfirmChannel } from "amqplib";
import { tapEvents } from "../../../tools/release/event-tap.ts";
import type { ServiceName } from "./system.ts";

/** An event as it travels. */
export type Event = {
  readonly messageId: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
};

const services: readonly ServiceName[] = ["orders", "payments"];
const schemas = [
  OrderCreatedEventSchema,
  OrderCancelledEventSchema,
  PaymentResultEventSchema,
  PaymentRefundedEventSchema,
];

/** The queues that must be empty once everything is settled. */
export const transitQueues = services.flatMap((service) => [
  topologyOf(service).work,
  ...retryDelays.map(({ label }) => retryQueueOf(service, label)),
]);

/** The queues whose messages wait for a human. */
export const deadLetterQueues = services.map((service) => topologyOf(service).deadLetters);

/** Reads what the event says. */
export function readEvent({ type, body }: Event) {
  const schema = schemas.find(({ typeName }) => typeName === type);
  if (!schema) throw new Error(`there is no event of type ${type}`);
  return fromBinary(schema, body);
}

/** Opens a channel as the broker's administrator for the time of `work`. */
export async function onBroker<T>(
  adminUrl: string,
  work: (channel: ConfirmChannel) => Promise<T>,
): Promise<T> {
  const connection = await amqp.connect(adminUrl);
  try {
    return await work(await connection.createConfirmChannel());
  } finally {
    await connection.close();
  }
}

/**
 * How many messages wait in the queue and how many consumers it has. Asked by a passive declare,
 * which the queue's leader answers: exact, where the management API is up to a minute late. What a
 * consumer holds unsettled is not counted; it is again once that consumer has gone.
 */
export async function depthOf(
  channel: Channel,
  queue: string,
): Promise<{ readonly waiting: number; readonly consumers: number }> {
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  return { waiting: messageCount, consumers: consumerCount };
}

/** Looks at every message that waits in the queue and leaves it there. */
export async function peek(adminUrl: string, queue: string): Promise<readonly Event[]> {
  // Closing the connection gives them all back.
  return onBroker(adminUrl, async (channel) => {
    const events: Event[] = [];
    for (;;) {
      const message = await channel.get(queue);
      if (!message) return events;
      events.push(eventOf(message));
    }
  });
}

/** Publishes the events straight to a queue, in order, and resolves once it has them all. */
export async function publish(
  adminUrl: string,
  queue: string,
  events: readonly Partial<Event>[],
): Promise<void> {
  await onBroker(adminUrl, async (channel) => {
    for (const { messageId, type, headers, body } of events) {
      channel.sendToQueue(queue, body ?? Buffer.alloc(0), {
        persistent: true,
        contentType: "application/x-protobuf",
        timestamp: Math.floor(Date.now() / 1_000),
        ...(messageId === undefined ? {} : { messageId }),
        ...(type === undefined ? {} : { type }),
        ...(headers === undefined ? {} : { headers }),
      });
    }
    await channel.waitForConfirms();
  });
}

/** Gathers a copy of every event that a service publishes, until it is disposed. */
export type Tap = AsyncDisposable & { readonly events: readonly Event[] };

/** Starts to listen to a service's events. */
export async function startTap(adminUrl: string, service: ServiceName): Promise<Tap> {
  const events: Event[] = [];
  const tap = await tapEvents(adminUrl, [service], (message) => events.push(eventOf(message)));
  return { events, [Symbol.asyncDispose]: () => tap[Symbol.asyncDispose]() };
}

/**
 * Keeps a service's events of these types from another during `work`, which returns how many it has
 * made, and hands them to the test instead: resolves with them once all have been published.
 */
export async function intercept(
  adminUrl: string,
  kept: {
    readonly from: ServiceName;
    readonly to: ServiceName;
    readonly types: readonly string[];
  },
  work: () => Promise<number>,
): Promise<readonly Event[]> {
  const routing = kept.types.map(
    (type) => [topologyOf(kept.to).work, topologyOf(kept.from).events, type] as const,
  );
  await using tap = await startTap(adminUrl, kept.from);
  await onBroker(adminUrl, async (channel) => {
    for (const route of routing) await channel.unbindQueue(...route);
  });
  const count = await work();
  // By their ids: a relay that is late publishes an event twice.
  const events = await eventually("every event was published", () => {
    const published = new Map(tap.events.map((event) => [event.messageId, event]));
    return published.size >= count ? [...published.values()] : undefined;
  });
  await onBroker(adminUrl, async (channel) => {
    for (const route of routing) await channel.bindQueue(...route);
  });
  return events;
}

function eventOf({ properties, content }: amqp.Message): Event {
  return {
    messageId: properties.messageId,
    type: properties.type,
    body: content,
    headers: properties.headers ?? {},
  };
}
