import type { Channel } from "amqplib/callback_api";
import { type Link, withoutThrow } from "./broker-connection.ts";

/** How many messages of a queue are ready to be delivered, and how many consumers it has. */
export type QueueCounts = {
  readonly name: string;
  readonly readyMessages: number;
  readonly consumers: number;
};

/**
 * Returns the counts of the queues that exist, in the order of `names`, by passive declarations,
 * which need no right on the broker. Returns those that were counted until `timeoutMs`, or until the
 * link is gone.
 */
export async function countQueues(
  link: Link,
  names: readonly string[],
  timeoutMs: number,
): Promise<readonly QueueCounts[]> {
  const signal = AbortSignal.any([link.gone, AbortSignal.timeout(timeoutMs)]);
  const found: QueueCounts[] = [];
  for (const name of names) {
    if (signal.aborted) break;
    const counts = await countQueue(link, name, signal);
    if (counts) found.push(counts);
  }
  return found;
}

/** Asks on a channel of its own, because the broker closes the channel if there is no such queue. */
function countQueue(
  link: Link,
  name: string,
  signal: AbortSignal,
): Promise<QueueCounts | undefined> {
  return new Promise((resolve) => {
    let channel: Channel | undefined;
    const end = (counts?: QueueCounts) => {
      signal.removeEventListener("abort", giveUp);
      withoutThrow(() => channel?.close());
      resolve(counts);
    };
    const giveUp = () => end();
    signal.addEventListener("abort", giveUp);
    withoutThrow(() => {
      channel = link.connection.createChannel((failure) => {
        if (failure) return end();
        channel?.checkQueue(name, (refusal, answer) => {
          if (refusal) return end();
          const { messageCount, consumerCount } = answer;
          end({ name, readyMessages: messageCount, consumers: consumerCount });
        });
      });
      channel.on("error", () => {});
      channel.on("close", giveUp);
    });
    if (channel === undefined) end();
  });
}
