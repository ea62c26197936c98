import { topologyOf } from "@settle/chassis/contract/topology";
import amqp, { type ConsumeMessage } from "amqplib";

/**
 * Passes a copy of every event that the services publish from now on to `take`, until it is
 * disposed. The URL is that of the virtual host, with an administrator's credentials.
 */
export async function tapEvents(
  amqpUrl: string,
  services: readonly string[],
  take: (message: ConsumeMessage) => void,
): Promise<AsyncDisposable> {
  const connection = await amqp.connect(amqpUrl);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  for (const service of services) {
    await channel.bindQueue(queue, topologyOf(service).events, "#");
  }
  await channel.consume(queue, (message) => void (message && take(message)), { noAck: true });
  return { [Symbol.asyncDispose]: () => connection.close() };
}
