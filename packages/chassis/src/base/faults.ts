/**
 * The points at which a test may stop a process. Each names what has just happened or is about to.
 */
export type FaultPoint =
  | "transaction.before-commit"
  | "transaction.after-commit"
  | "relay.before-publish"
  | "relay.after-confirm"
  | "consumer.before-ack"
  | "dead-letters.before-ack"
  | "migration.before-commit";

/**
 * Called at every fault point. Does nothing in a running service; in a test it may never return.
 */
export type Faults = { readonly reach: (point: FaultPoint) => void };

export const noFaults: Faults = { reach: () => {} };
