import type { Delivery } from "../broker/broker.ts";

/**
 * The largest batch for a message that was delivered never, once, twice, or more often before. A
 * message that kills its consumer is alone in its batch within four deliveries, while the many that
 * only shared a lost channel with it are still handled together.
 */
export const batchSizes = [128, 16, 4, 1] as const;

/** Returns the index in {@link batchSizes} for the message. */
export function laneOf(delivery: Pick<Delivery, "headers" | "redelivered">): number {
  return Math.min(deliveriesBefore(delivery), batchSizes.length - 1);
}

/**
 * How often the message was delivered before, as far as the broker tells. RabbitMQ up to 4.2 counts
 * every return to a quorum queue in `x-delivery-count`. From 4.3, that header counts only those that
 * look like a failure, and `x-acquired-count` counts all. The first delivery carries neither, or 0.
 */
function deliveriesBefore({
  headers,
  redelivered,
}: Pick<Delivery, "headers" | "redelivered">): number {
  const counts = [headers["x-acquired-count"], headers["x-delivery-count"]].map(Number);
  return Math.max(redelivered ? 1 : 0, ...counts.filter((count) => Number.isSafeInteger(count)));
}
