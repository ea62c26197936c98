import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { file_events_v1_event_batch } from "@settle/gen/events/v1/event_batch_pb";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { Ajv } from "ajv";
import type { ConsumeMessage } from "amqplib";

type RoutingKeyBinding = {
  readonly is: "routingKey";
  readonly exchange: {
    readonly name: string;
    readonly type: string;
    readonly durable: boolean;
    readonly autoDelete: boolean;
  };
};
type QueueBinding = {
  readonly is: "queue";
  readonly queue: {
    readonly name: string;
    readonly durable: boolean;
    readonly exclusive: boolean;
    readonly autoDelete: boolean;
  };
  readonly "x-arguments": Readonly<Record<string, unknown>>;
  readonly "x-bound-to": readonly { readonly exchange: string; readonly routingKey: string }[];
};
type Channel = {
  readonly address: string;
  readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
  readonly bindings: { readonly amqp: RoutingKeyBinding | QueueBinding };
};
type EventMessage = {
  readonly name: string;
  readonly "x-protobuf": { readonly message: string };
};
type EventsDocument = {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly components: { readonly messages: Readonly<Record<string, EventMessage>> };
};

const path = new URL("../../../gen/asyncapi/settle.json", import.meta.url);
const types = createRegistry(file_events_v1_events, file_events_v1_event_batch);

/** The AsyncAPI document, and the parts of it about the broker. */
export function readEventsDocument() {
  const document: EventsDocument = JSON.parse(readFileSync(path, "utf8"));
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, "document");
  const channels = Object.values(document.channels);
  const check = (pointer: string, value: unknown) => {
    const validate = ajv.compile({ $ref: `document#${pointer}` });
    assert.ok(validate(value), `${pointer}: ${JSON.stringify([validate.errors, value])}`);
  };
  return {
    exchanges: channels.flatMap(({ address, bindings: { amqp } }) =>
      amqp.is === "routingKey" ? [{ routingKey: address, ...amqp.exchange }] : [],
    ),
    queues: channels.flatMap(({ bindings: { amqp } }) =>
      amqp.is === "queue"
        ? [{ ...amqp.queue, arguments: amqp["x-arguments"], boundTo: amqp["x-bound-to"] }]
        : [],
    ),
    /** The names of all messages. */
    messageNames: Object.keys(document.components.messages),
    /** Compares a delivery with the document, as a listener would; throws if they differ. */
    checkDelivery({ fields, properties, content }: ConsumeMessage) {
      const channel = document.channels[fields.routingKey];
      assert.ok(channel?.bindings.amqp.is === "routingKey", `no channel ${fields.routingKey}`);
      assert.equal(channel.bindings.amqp.exchange.name, fields.exchange);
      const [{ $ref }] = Object.values(channel.messages) as [{ $ref: string }];
      const message = document.components.messages[$ref.split("/").at(-1) ?? ""];
      assert.ok(message, $ref);
      const pointer = $ref.slice(1);
      check(`${pointer}/x-amqp-properties`, {
        message_id: properties.messageId,
        type: properties.type,
        content_type: properties.contentType,
        timestamp: properties.timestamp,
        delivery_mode: properties.deliveryMode,
      });
      check(`${pointer}/headers`, properties.headers ?? {});
      const schema = types.getMessage(message["x-protobuf"].message);
      assert.ok(schema, `no protobuf message ${message["x-protobuf"].message}`);
      const payload = fromBinary(schema, content);
      assert.deepEqual(payload.$unknown, undefined);
      check(`${pointer}/payload`, toJson(schema, payload));
    },
  };
}
