import type { DescMessage } from "@bufbuild/protobuf";
import { type JsonObject, sortKeys, withoutEmpty } from "@settle/proto-schemas/json/json-schema";
import { wellKnownForm } from "@settle/proto-schemas/json/well-known";
import { createComponents } from "@settle/proto-schemas/schemas/components";
import { readBatchMessage, routingKeysOf } from "./batches.ts";
import type { Context } from "./context.ts";
import { type Event, exchangeOf, queueOf, receiversOf } from "./events.ts";
import { eventMessage } from "./messages.ts";
import { wrapRefs } from "./references.ts";

const bindingVersion = "0.3.0";

/**
 * Generates the document of all `events`: a channel for each routing key, which is the address, and
 * for each queue; a send operation for each routing key and a receive operation for each queue. An
 * event has a routing key, and another one for batches of it if there are any. The output is
 * deterministic.
 */
export function createDocument(context: Context, events: readonly Event[]): JsonObject {
  const { base } = context;
  const components = createComponents(context, { isTitled: true });
  const batch = readBatchMessage(context);
  const messageOf = (message: DescMessage, from?: string) => {
    const payload = wellKnownForm(message.typeName) ?? {
      $ref: components.refer(message, "event"),
    };
    return [message.typeName, eventMessage(context, { message, from }, payload)];
  };
  const messages = Object.fromEntries([
    ...events.map(({ message, from }) => messageOf(message, from)),
    ...(batch ? [messageOf(batch)] : []),
  ]);
  // What is sent by each routing key: an event alone, or a batch.
  const sent = events.flatMap((event) =>
    routingKeysOf(context, event.message).map((key, nth) => ({
      ...event,
      key,
      message: nth === 0 || !batch ? event.message : batch,
    })),
  );
  const { schemas, resolve } = components.finish();
  const receivers = groupByReceiver(events);
  const waitedFor = new Set(events.flatMap(({ to }) => to));
  return withoutEmpty({
    asyncapi: "3.0.0",
    info: base.info,
    defaultContentType: base.events.contentType,
    servers: base.servers,
    channels: sortKeys({
      ...Object.fromEntries(
        sent.map((sending) => [sending.key, routingKeyChannel(context, sending)]),
      ),
      ...Object.fromEntries(
        receivers.map(([service, received]) => [
          queueOf(context, service),
          queueChannel(context, { service, received, batch, isWaitedFor: waitedFor.has(service) }),
        ]),
      ),
    }),
    operations: sortKeys({
      ...Object.fromEntries(
        sent.map((sending) => [
          `${sending.from}_sends_${sending.key.replaceAll(".", "_")}`,
          sendOperation(context, sending),
        ]),
      ),
      ...Object.fromEntries(
        receivers.map(([service, received]) => [
          `${service}_receives`,
          receiveOperation(context, service, messagesOf(received, batch)),
        ]),
      ),
    }),
    components: withoutEmpty({
      schemas: wrapRefs(schemas),
      messages: resolve(messages),
      securitySchemes: base.securitySchemes,
    }),
  });
}

function groupByReceiver(
  events: readonly Event[],
): readonly (readonly [service: string, received: readonly Event[]])[] {
  const services = [...new Set(events.flatMap(receiversOf))].sort();
  return services.map((service) => [
    service,
    events.filter((event) => receiversOf(event).includes(service)),
  ]);
}

/** An event or a batch, as it is sent by a routing key. */
type Sending = Event & { readonly key: string };

function messagesOf(events: readonly Event[], batch: DescMessage | undefined) {
  return [...events.map(({ message }) => message), ...(batch ? [batch] : [])];
}

function routingKeyChannel(context: Context, { key, message, from }: Sending): JsonObject {
  const { vhost, exchange } = context.base.events;
  return channel(context, key, [message], {
    is: "routingKey",
    exchange: { ...exchange, name: exchangeOf(context, from), vhost },
  });
}

function queueChannel(
  context: Context,
  options: {
    readonly service: string;
    readonly received: readonly Event[];
    readonly batch: DescMessage | undefined;
    /** Whether the publisher of any event waits for the service. */
    readonly isWaitedFor: boolean;
  },
): JsonObject {
  const { service, received, batch, isWaitedFor } = options;
  const { vhost, queue } = context.base.events;
  const { arguments: args, ...rest } = queue;
  const name = queueOf(context, service);
  return channel(context, name, messagesOf(received, batch), {
    is: "queue",
    queue: { ...rest, name, vhost },
    "x-arguments": args,
    "x-bound-to": received.flatMap(({ from, message }) =>
      routingKeysOf(context, message).map((routingKey) => ({
        exchange: exchangeOf(context, from),
        routingKey,
      })),
    ),
    ...(isWaitedFor ? {} : { "x-waited-for": false }),
  });
}

function channel(
  context: Context,
  address: string,
  messages: readonly DescMessage[],
  binding: JsonObject,
): JsonObject {
  const [message] = messages as readonly [DescMessage];
  return withoutEmpty({
    address,
    title: address,
    summary:
      binding.is === "queue" ? undefined : context.source.comment(message).summary || undefined,
    messages: Object.fromEntries(
      messages.map(({ typeName }) => [typeName, { $ref: `#/components/messages/${typeName}` }]),
    ),
    bindings: { amqp: withoutEmpty({ ...binding, bindingVersion }) },
  });
}

function sendOperation(context: Context, { key, message, from, to }: Sending): JsonObject {
  const { typeName } = message;
  const { send } = context.base.events;
  return {
    action: "send",
    title: `${from} sends ${key}`,
    summary: context.source.comment(message).summary || undefined,
    channel: { $ref: `#/channels/${key}` },
    messages: [{ $ref: `#/channels/${key}/messages/${typeName}` }],
    tags: [{ name: from }],
    bindings: {
      amqp: {
        ...send,
        ...("mandatory" in send && to.length === 0 ? { mandatory: false } : {}),
        bindingVersion,
      },
    },
  };
}

function receiveOperation(
  context: Context,
  service: string,
  received: readonly DescMessage[],
): JsonObject {
  const queue = queueOf(context, service);
  return {
    action: "receive",
    title: `${service} receives from ${queue}`,
    channel: { $ref: `#/channels/${queue}` },
    messages: received.map(({ typeName }) => ({
      $ref: `#/channels/${queue}/messages/${typeName}`,
    })),
    tags: [{ name: service }],
    bindings: { amqp: { ...context.base.events.receive, bindingVersion } },
  };
}
