import { once } from "node:events";
import type { ConfirmChannel } from "amqplib";

/** The code with which RabbitMQ denies access. */
export const accessRefused = 403;

/**
 * Runs `work` on a channel and returns the code with which the broker closes the channel; 0 if it
 * does not. The channel is always closed afterwards.
 */
export async function refusalOf(
  channel: ConfirmChannel,
  work: (channel: ConfirmChannel) => unknown,
): Promise<number> {
  const closed = once(channel, "error").then(([{ code }]) => code as number);
  const done = Promise.resolve(work(channel)).then(() => channel.waitForConfirms());
  const refusal = await Promise.race([closed, done.then(() => 0).catch(() => closed)]);
  if (refusal === 0) await channel.close();
  return refusal;
}
