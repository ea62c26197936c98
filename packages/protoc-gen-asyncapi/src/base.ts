import { info, jsonObject, readBaseFile } from "@settle/proto-schemas/plugin/base-file";
import { Refusal } from "@settle/proto-schemas/protos/complaints";
import * as z from "zod";

/** A name on the broker that is made from the name of a service. */
const name = z.string().refine((text) => text.includes("{service}"), "must contain {service}");

const events = z.strictObject({
  /**
   * A message option whose message has `string from`, the service that publishes the event;
   * `repeated string to`, the consumers that the publisher waits for; and optionally
   * `repeated string also_to`, other consumers.
   */
  extension: z.string(),
  /** The virtual host of all exchanges and queues. */
  vhost: z.string().default("/"),
  /** The exchange that a service publishes to; the routing key is the full name of the event. */
  exchange: z.strictObject({
    name,
    type: z.enum(["topic", "direct"]).default("topic"),
    durable: z.boolean().default(true),
    autoDelete: z.boolean().default(false),
  }),
  /** The queue that a service consumes from. */
  queue: z.strictObject({
    name,
    durable: z.boolean().default(true),
    exclusive: z.boolean().default(false),
    autoDelete: z.boolean().default(false),
    arguments: jsonObject.optional(),
  }),
  /**
   * How several events of one type travel in one message: `message` is the full name of the message
   * with them, and `routingKey` is made from the full name of the events. Without it, all travel
   * alone.
   */
  batches: z
    .strictObject({
      message: z.string(),
      routingKey: z.string().refine((text) => text.includes("{event}"), "must contain {event}"),
    })
    .optional(),
  /**
   * The AMQP bindings of all send and all receive operations. `mandatory`, if set, is false for
   * events with an empty `to`.
   */
  send: jsonObject.default({}),
  receive: jsonObject.default({}),
  contentType: z.string().default("application/x-protobuf"),
  /**
   * A schema of the AMQP properties of all messages, by their names in the protocol. The generator
   * adds `type` and `content_type`.
   */
  properties: z
    .looseObject({ properties: jsonObject.default({}), required: z.array(z.string()).default([]) })
    .default({ properties: {}, required: [] }),
  /** A schema of the headers of all messages. */
  headers: jsonObject.optional(),
});

const base = z.strictObject({
  /** Title, version, licence and so on. */
  info,
  servers: jsonObject.optional(),
  /** The contents of `components.securitySchemes`. */
  securitySchemes: jsonObject.optional(),
  events,
});

/** The parts of the document that are not in the protos. */
export type Base = z.infer<typeof base>;

/**
 * Reads the base file; throws a {@link Refusal} if there is none, or with the file and each error.
 */
export function readBase(file: string | undefined): Base {
  if (file === undefined) {
    throw new Refusal(
      "the option base=<file> is required; its file names the option that makes a message an event",
    );
  }
  return readBaseFile(base, file);
}
