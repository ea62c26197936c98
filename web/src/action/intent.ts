import { createIdempotencyKey } from "@settle/sdk";

/** How many intentions without a known end are remembered; the oldest is forgotten then. */
export const maxIntents = 100;

/** One thing that somebody means to do. */
export type Intent = {
  /** The idempotency key to send it with. */
  readonly key: string;
  /** Notes that its end is known: the same again is something new. */
  done(): void;
};

/**
 * What somebody has begun and nobody knows the end of. The same action with the same input keeps its
 * key until it is done, however often it is tried, and whatever else is done or closed between.
 */
export type Intents = {
  /** Takes up what is meant by `action` with `input`, anew or once more. */
  begin(action: string, input: unknown): Intent;
};

/** Makes the memory for a session; at most {@link maxIntents} are in it. */
export function createIntents(newKey: () => string = createIdempotencyKey): Intents {
  const open = new Map<string, string>();
  return {
    begin(action, input) {
      const text = `${action} ${textOf(input)}`;
      const key = open.get(text) ?? newKey();
      // Last in order again.
      open.delete(text);
      open.set(text, key);
      for (const oldest of open.keys()) {
        if (open.size <= maxIntents) break;
        open.delete(oldest);
      }
      return {
        key,
        done() {
          // Not one that has been begun after this one was done.
          if (open.get(text) === key) open.delete(text);
        },
      };
    },
  };
}

function textOf(input: unknown): string {
  return String(
    JSON.stringify(input, (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
}
