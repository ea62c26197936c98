import { fromBinary } from "@bufbuild/protobuf";
import {
  batchKeyOf,
  retryDelays,
  retryQueueOf,
  topologyOf,
} from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import amqp, { type Channel, type ConfirmChannel } from "amqplib";
import { tapEvents } from "../../../tools/release/event-tap.ts";
import { type Event, eventsOf } from "./batches.ts";
import type { ServiceName } from "./system.ts";

export type { Event } from "./batches.ts";

const services: readonly ServiceName[] = ["orders", "payments"];
const schemas = [
  OrderCreatedEventSchema,
  OrderCancelledEventSchema,
  PaymentResultEventSchema,
  PaymentRefundedEventSchema,
];

/** The queues that must be empty when all work is done. */
export const transitQueues = services.flatMap((service) => [
  topologyOf(service).work,
  ...retryDelays.map(({ label }) => retryQueueOf(service, label)),
]);

/** The queues whose messages wait for an operator. */
export const deadLetterQueues = services.map((service) => topologyOf(service).deadLetters);

/** Decodes the event. */
export function readEvent({ type, body }: Event) {
  const schema = schemas.find(({ typeName }) => typeName === type);
  if (!schema) throw new Error(`there is no event of type ${type}`);
  return fromBinary(schema, body);
}

/** Opens a channel as administrator of the broker during `work`. */
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
 * Returns the number of ready messages and of consumers. Uses a passive declare, whose result is
 * exact, because it comes from the leader of the queue; the management API is up to a minute late.
 * Messages that a consumer has not settled are not counted until that consumer disconnects.
 */
export async function depthOf(
  channel: Channel,
  queue: string,
): Promise<{ readonly waiting: number; readonly consumers: number }> {
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  return { waiting: messageCount, consumers: consumerCount };
}

/** Returns the events of all ready messages of the queue and leaves them there. */
export async function peek(adminUrl: string, queue: string): Promise<readonly Event[]> {
  // Closing the connection requeues them.
  return onBroker(adminUrl, async (channel) => {
    const events: Event[] = [];
    for (;;) {
      const message = await channel.get(queue);
      if (!message) return events;
      events.push(...eventsOf(message));
    }
  });
}

/**
 * Publishes the events directly to a queue, in order; resolves when it has accepted all of them.
 */
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

/** Collects a copy of each event that a service publishes, until it is disposed. */
export type Tap = AsyncDisposable & { readonly events: readonly Event[] };

/** Starts to collect the events of a service. */
export async function startTap(adminUrl: string, service: ServiceName): Promise<Tap> {
  const events: Event[] = [];
  const tap = await tapEvents(adminUrl, [service], (message) => events.push(...eventsOf(message)));
  return { events, [Symbol.asyncDispose]: () => tap[Symbol.asyncDispose]() };
}

/**
 * Diverts the events of these types from a consumer to the test during `work`, which returns the
 * number of events it has caused. Resolves with the events when all of them have been published.
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
  const routing = kept.types
    .flatMap((type) => [type, batchKeyOf(type)])
    .map((key) => [topologyOf(kept.to).work, topologyOf(kept.from).events, key] as const);
  await using tap = await startTap(adminUrl, kept.from);
  await onBroker(adminUrl, async (channel) => {
    for (const route of routing) await channel.unbindQueue(...route);
  });
  const count = await work();
  // By id, because a late relay publishes an event twice.
  const events = await eventually("every event was published", () => {
    const published = new Map(tap.events.map((event) => [event.messageId, event]));
    return published.size >= count ? [...published.values()] : undefined;
  });
  await onBroker(adminUrl, async (channel) => {
    for (const route of routing) await channel.bindQueue(...route);
  });
  return events;
}
