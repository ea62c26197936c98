import amqp, { type ConsumeMessage } from "amqplib";
import type { RecordedEvent } from "./recording.ts";

/** Gathers a copy of all events until it is disposed. */
export type EventTap = AsyncDisposable & { readonly events: readonly RecordedEvent[] };

/** Listens to the events of both services, at the broker of an administrator's URL with its vhost. */
export async function tapEvents(amqpUrl: string): Promise<EventTap> {
  const connection = await amqp.connect(amqpUrl);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  for (const service of ["orders", "payments"]) {
    await channel.bindQueue(queue, `${service}.events`, "#");
  }
  const events: RecordedEvent[] = [];
  const take = (message: ConsumeMessage | null) => message && events.push(recorded(message));
  await channel.consume(queue, take, { noAck: true });
  return { events, [Symbol.asyncDispose]: () => connection.close() };
}

function recorded({ fields, properties, content }: ConsumeMessage): RecordedEvent {
  const { type, contentType, messageId, deliveryMode, timestamp, headers } = properties;
  return {
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    properties: { type, contentType, messageId, deliveryMode, timestamp, headers: { ...headers } },
    body: content.toString("base64"),
  };
}
