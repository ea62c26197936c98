import type { Topology } from "../contract/topology.ts";
import { policy } from "./broker-definitions.ts";

const maxQueueLength = 1_000_000;
const maxQueueBytes = 2 ** 30;
const maxDeadLetters = 100_000;
const maxDeadLetterBytes = 2 ** 28;

/** How much may wait in a queue for which no publisher waits. */
export const droppingLimits = {
  "max-length": maxQueueLength,
  "max-length-bytes": maxQueueBytes,
} as const;

/**
 * The policies of a work queue for which no publisher waits, and of its dead letters. A queue that is
 * full takes what is new and drops its oldest message: if it refused new ones, the publishers would
 * have to stop for it. What is dropped goes to the dead letters, and pushes the oldest of those out
 * for good once there are too many.
 *
 * The dead-letter strategy is at-most-once, the only one that RabbitMQ has for `drop-head`: what is
 * dropped just while the queue of dead letters is away is lost. `deliveryLimit` is how often a message
 * may come back before it is a dead letter.
 */
export function droppingPolicies(
  { work, deadLetter, deadLetters }: Pick<Topology, "work" | "deadLetter" | "deadLetters">,
  deliveryLimit: number,
) {
  return [
    policy(work, {
      overflow: "drop-head",
      ...droppingLimits,
      "delivery-limit": deliveryLimit,
      "dead-letter-exchange": deadLetter,
    }),
    policy(deadLetters, {
      overflow: "drop-head",
      "max-length": maxDeadLetters,
      "max-length-bytes": maxDeadLetterBytes,
    }),
  ];
}
