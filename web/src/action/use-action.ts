import { IdempotencyKeyReusedError } from "@settle/sdk";
import { useCallback, useRef, useState } from "react";
import { createIntent } from "./intent.ts";

/** A button's deed: what it is doing, and how it last failed. */
export type Action<Input> = {
  /** Does it, unless it is being done already. Never rejects. */
  run(input: Input): Promise<void>;
  readonly working: boolean;
  /** What the last run failed with, until the next one or {@link Action.clear}. */
  readonly error: unknown;
  clear(): void;
};

/**
 * Lets a person do something that changes the system: one run at a time, and each run of the same
 * intention with the same idempotency key (see {@link createIntent}).
 */
export function useAction<Input>(
  act: (input: Input, options: { readonly idempotencyKey: string }) => Promise<void>,
): Action<Input> {
  const [intent] = useState(() => createIntent());
  const [state, setState] = useState<{ working: boolean; error?: unknown }>({ working: false });
  // A second click comes before the first one's render.
  const working = useRef(false);
  const run = async (input: Input) => {
    if (working.current) return;
    working.current = true;
    setState({ working: true });
    try {
      await act(input, { idempotencyKey: intent.keyFor(input) });
      intent.done();
      setState({ working: false });
    } catch (error) {
      // With this key it would be refused for ever.
      if (error instanceof IdempotencyKeyReusedError) intent.done();
      setState({ working: false, error });
    } finally {
      working.current = false;
    }
  };
  const clear = useCallback(() => setState(({ working }) => ({ working })), []);
  return { run, working: state.working, error: state.error, clear };
}
