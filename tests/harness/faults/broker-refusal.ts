import { once } from "node:events";
import type { ConfirmChannel } from "amqplib";

/** The code by which RabbitMQ says that a user may not do something. */
export const accessRefused = 403;

/**
 * Does `work` on a channel, which is closed afterwards in any case, and returns the code with which
 * the broker closes it because of that; 0 if it does not.
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
