import { createIdempotencyKey } from "@settle/sdk";

/** How many intents with an unknown outcome are kept; beyond this, the oldest is dropped. */
export const maxIntents = 100;

/** One action that the user has started. */
export type Intent = {
  /** The idempotency key of its requests. */
  readonly key: string;
  /** Records that the outcome is known: the same action again is a new intent. */
  done(): void;
};

/**
 * Actions that were started and whose outcome is unknown. The same action with the same input keeps
 * its key until it is done, however often it is repeated and whatever happens in between.
 */
export type Intents = {
  /** Starts or resumes the intent of `action` with `input`. */
  begin(action: string, input: unknown): Intent;
};

/** Creates the intents of a session; it keeps at most {@link maxIntents}. */
export function createIntents(newKey: () => string = createIdempotencyKey): Intents {
  const open = new Map<string, string>();
  return {
    begin(action, input) {
      const text = `${action} ${textOf(input)}`;
      const key = open.get(text) ?? newKey();
      // Moves it to the end.
      open.delete(text);
      open.set(text, key);
      for (const oldest of open.keys()) {
        if (open.size <= maxIntents) break;
        open.delete(oldest);
      }
      return {
        key,
        done() {
          // Keeps an intent that was started after this one was done.
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
