/**
 * The seams at which a test may stop a process. Each names what has just happened or is about to.
 */
export type FaultPoint =
  | "transaction.before-commit"
  | "transaction.after-commit"
  | "relay.before-publish"
  | "relay.after-confirm"
  | "consumer.before-ack"
  | "migration.before-commit";

/** Called at every seam. What a service runs with does nothing; a test's may never return. */
export type Faults = { readonly reach: (point: FaultPoint) => void };

export const noFaults: Faults = { reach: () => {} };
