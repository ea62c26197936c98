import { info, jsonObject, readBaseFile } from "@settle/proto-schemas/base-file";
import { Refusal } from "@settle/proto-schemas/complaints";
import * as z from "zod";

/** A name on the broker that is made from the name of a service. */
const name = z.string().refine((text) => text.includes("{service}"), "has to hold {service}");

const events = z.strictObject({
  /**
   * A message option, of a message with `string from`, the service that publishes the event,
   * `repeated string to`, the services that it waits for, and perhaps `repeated string also_to`,
   * further ones that get it.
   */
  extension: z.string(),
  /** The virtual host of all exchanges and queues. */
  vhost: z.string().default("/"),
  /** The exchange to which a service publishes; the routing key is the event's full name. */
  exchange: z.strictObject({
    name,
    type: z.enum(["topic", "direct"]).default("topic"),
    durable: z.boolean().default(true),
    autoDelete: z.boolean().default(false),
  }),
  /** The queue by which a service receives. */
  queue: z.strictObject({
    name,
    durable: z.boolean().default(true),
    exclusive: z.boolean().default(false),
    autoDelete: z.boolean().default(false),
    arguments: jsonObject.optional(),
  }),
  /**
   * What the AMQP binding of operations says of every publish, and of every delivery. `mandatory` is
   * said of those events only that go `to` somebody.
   */
  send: jsonObject.default({}),
  receive: jsonObject.default({}),
  contentType: z.string().default("application/x-protobuf"),
  /**
   * A schema of the AMQP properties of every message, by their names in the protocol. `type` and
   * `content_type` are added.
   */
  properties: z
    .looseObject({ properties: jsonObject.default({}), required: z.array(z.string()).default([]) })
    .default({ properties: {}, required: [] }),
  /** A schema of the headers of every message. */
  headers: jsonObject.optional(),
});

const base = z.strictObject({
  /** Title, version, licence and so on. */
  info,
  servers: jsonObject.optional(),
  /** What `components.securitySchemes` holds. */
  securitySchemes: jsonObject.optional(),
  events,
});

/** What no proto says and the document holds nevertheless. */
export type Base = z.infer<typeof base>;

/** Reads a base; refuses one that is missing, or faulty by the file and each fault. */
export function readBase(file: string | undefined): Base {
  if (file === undefined) {
    throw new Refusal("option base= is needed: it names the option that makes a message an event");
  }
  return readBaseFile(base, file);
}
