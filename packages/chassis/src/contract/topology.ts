import { crc32 } from "node:zlib";

/**
 * The names of everything that a service owns on the broker. Services declare nothing that outlives
 * them: definitions built from these names (see provision-broker.ts) are imported before they
 * start. A replica may only declare its own queue of hints, which is exclusive to its connection.
 */
export type Topology = {
  /**
   * Topic exchange for the service's outbox events; the routing key is the event's type name, and
   * {@link batchKeyOf} it for a batch.
   */
  readonly events: string;
  /** Quorum queue with the events of other services that the service handles. */
  readonly work: string;
  /** Fanout exchange back to the work queue; the retry queues dead-letter to it. */
  readonly requeue: string;
  /** Direct exchange to the retry queues; the routing key is a {@link retryDelays} label. */
  readonly retry: string;
  /** Fanout exchange to the dead letters. */
  readonly deadLetter: string;
  /** Quorum queue that keeps messages that could not be handled, for inspection. */
  readonly deadLetters: string;
  /**
   * Fanout exchange between the replicas of the service, and the prefix of the name of each
   * replica's own queue.
   */
  readonly hints: string;
};

/** The header with the {@link partitionOf} the user of an event, or of all events of a batch. */
export const partitionHeader = "x-partition";
const partitions = 1;

/** Returns the partition of the events of `userId`: the same number each time. */
export function partitionOf(userId: string): number {
  return crc32(userId) % partitions;
}

/** Returns the routing key of batches of events of `type`. */
export function batchKeyOf(type: string): string {
  return `${type}.batch`;
}

/** How long a message waits before each retry: one queue per delay; the last delay is repeated. */
export const retryDelays = [
  { label: "1s", delayMs: 1_000 },
  { label: "10s", delayMs: 10_000 },
  { label: "60s", delayMs: 60_000 },
] as const;

/** Returns the broker names that belong to `service`. */
export function topologyOf(service: string): Topology {
  return {
    events: `${service}.events`,
    work: `${service}.work`,
    requeue: `${service}.requeue`,
    retry: `${service}.retry`,
    deadLetter: `${service}.dead-letter`,
    deadLetters: `${service}.dead-letters`,
    hints: `${service}.hints`,
  };
}

/** Returns the name of the retry queue of `service` with the delay `label`. */
export function retryQueueOf(service: string, label: string): string {
  return `${service}.retry.${label}`;
}
