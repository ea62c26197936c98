/**
 * The names of everything a service owns on the broker. Services declare nothing that outlives them:
 * a definitions document made from these names (see provision-broker.ts) is imported before they
 * start. All that a replica may declare is its own queue of hints, exclusive to its connection.
 */
export type Topology = {
  /** Topic exchange for the service's outbox events; the routing key is the event's type name. */
  readonly events: string;
  /** Quorum queue with the events of others that the service handles. */
  readonly work: string;
  /** Fanout exchange that leads back to the work queue; where the retry queues expire to. */
  readonly requeue: string;
  /** Direct exchange to the retry queues; the routing key is a {@link retryDelays} label. */
  readonly retry: string;
  /** Fanout exchange to the dead letters. */
  readonly deadLetter: string;
  /** Quorum queue that keeps messages nobody could handle, until somebody looks. */
  readonly deadLetters: string;
  /**
   * Fanout exchange between the replicas of the service, and the beginning of the name of each
   * replica's own queue there.
   */
  readonly hints: string;
};

/** How long a message waits before it is tried again: one queue each, the last one repeated. */
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
