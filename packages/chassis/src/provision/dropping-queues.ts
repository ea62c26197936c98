import type { Topology } from "../contract/topology.ts";
import { policy } from "./broker-definitions.ts";

const maxQueueLength = 1_000_000;
const maxQueueBytes = 2 ** 30;
const maxDeadLetters = 100_000;
const maxDeadLetterBytes = 2 ** 28;

/** The limits of a work queue that no publisher waits for. */
export const droppingLimits = {
  "max-length": maxQueueLength,
  "max-length-bytes": maxQueueBytes,
} as const;

/**
 * The policies of a work queue that no publisher waits for, and of its dead letters. A full queue
 * accepts new messages and drops its oldest one: if it refused new messages, publishers would have to
 * stop. Dropped messages go to the dead letters, which drop their oldest in turn.
 *
 * The dead-letter strategy is at-most-once, the only one that RabbitMQ offers with `drop-head`:
 * messages that are dropped while the queue of dead letters is unavailable are lost. `deliveryLimit`
 * is how often a message may be redelivered before it becomes a dead letter.
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
