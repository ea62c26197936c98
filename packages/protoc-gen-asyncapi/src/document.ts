import { type JsonObject, sortKeys, withoutEmpty } from "@settle/proto-schemas/json/json-schema";
import { wellKnownForm } from "@settle/proto-schemas/json/well-known";
import { createComponents } from "@settle/proto-schemas/schemas/components";
import type { Context } from "./context.ts";
import { type Event, exchangeOf, queueOf, receiversOf } from "./events.ts";
import { eventMessage } from "./messages.ts";
import { wrapRefs } from "./references.ts";

const bindingVersion = "0.3.0";

/**
 * Generates the document of all `events`: a channel for each event, whose address is its routing
 * key, and for each queue; a send operation for each event and a receive operation for each queue.
 * The output is deterministic.
 */
export function createDocument(context: Context, events: readonly Event[]): JsonObject {
  const { base } = context;
  const components = createComponents(context, { isTitled: true });
  const messages = Object.fromEntries(
    events.map((event) => {
      const { message } = event;
      const payload = wellKnownForm(message.typeName) ?? {
        $ref: components.refer(message, "event"),
      };
      return [message.typeName, eventMessage(context, event, payload)];
    }),
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
        events.map((event) => [event.message.typeName, routingKeyChannel(context, event)]),
      ),
      ...Object.fromEntries(
        receivers.map(([service, received]) => [
          queueOf(context, service),
          queueChannel(context, { service, received, isWaitedFor: waitedFor.has(service) }),
        ]),
      ),
    }),
    operations: sortKeys({
      ...Object.fromEntries(
        events.map((event) => [
          `${event.from}_sends_${event.message.typeName.replaceAll(".", "_")}`,
          sendOperation(context, event),
        ]),
      ),
      ...Object.fromEntries(
        receivers.map(([service, received]) => [
          `${service}_receives`,
          receiveOperation(context, service, received),
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

function routingKeyChannel(context: Context, event: Event): JsonObject {
  const { vhost, exchange } = context.base.events;
  return channel(context, event.message.typeName, [event], {
    is: "routingKey",
    exchange: { ...exchange, name: exchangeOf(context, event.from), vhost },
  });
}

function queueChannel(
  context: Context,
  options: {
    readonly service: string;
    readonly received: readonly Event[];
    /** Whether the publisher of any event waits for the service. */
    readonly isWaitedFor: boolean;
  },
): JsonObject {
  const { service, received, isWaitedFor } = options;
  const { vhost, queue } = context.base.events;
  const { arguments: args, ...rest } = queue;
  const name = queueOf(context, service);
  return channel(context, name, received, {
    is: "queue",
    queue: { ...rest, name, vhost },
    "x-arguments": args,
    "x-bound-to": received.map(({ from, message }) => ({
      exchange: exchangeOf(context, from),
      routingKey: message.typeName,
    })),
    ...(isWaitedFor ? {} : { "x-waited-for": false }),
  });
}

function channel(
  context: Context,
  address: string,
  events: readonly Event[],
  binding: JsonObject,
): JsonObject {
  const [{ message }] = events as readonly [Event];
  return withoutEmpty({
    address,
    title: address,
    summary:
      binding.is === "queue" ? undefined : context.source.comment(message).summary || undefined,
    messages: Object.fromEntries(
      events.map(({ message: { typeName } }) => [
        typeName,
        { $ref: `#/components/messages/${typeName}` },
      ]),
    ),
    bindings: { amqp: withoutEmpty({ ...binding, bindingVersion }) },
  });
}

function sendOperation(context: Context, { message, from, to }: Event): JsonObject {
  const { typeName } = message;
  const { send } = context.base.events;
  return {
    action: "send",
    title: `${from} sends ${typeName}`,
    summary: context.source.comment(message).summary || undefined,
    channel: { $ref: `#/channels/${typeName}` },
    messages: [{ $ref: `#/channels/${typeName}/messages/${typeName}` }],
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
  received: readonly Event[],
): JsonObject {
  const queue = queueOf(context, service);
  return {
    action: "receive",
    title: `${service} receives from ${queue}`,
    channel: { $ref: `#/channels/${queue}` },
    messages: received.map(({ message: { typeName } }) => ({
      $ref: `#/channels/${queue}/messages/${typeName}`,
    })),
    tags: [{ name: service }],
    bindings: { amqp: { ...context.base.events.receive, bindingVersion } },
  };
}
