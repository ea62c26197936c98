import { useCallback, useRef, useState } from "react";
import { useClient } from "../session/client.ts";
import { isRefusal } from "./is-refusal.ts";

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
 * Lets a person do something: one run at a time, and each run of the same `name` and input with the
 * same idempotency key until its end is known, also by another component (see `Intents`).
 */
export function useAction<Input>(
  name: string,
  act: (input: Input, options: { readonly idempotencyKey: string }) => Promise<void>,
): Action<Input> {
  const { intents } = useClient();
  const [state, setState] = useState<{ working: boolean; error?: unknown }>({ working: false });
  // A second click comes before the first one's render.
  const working = useRef(false);
  const run = async (input: Input) => {
    if (working.current) return;
    working.current = true;
    setState({ working: true });
    const intent = intents.begin(name, input);
    try {
      await act(input, { idempotencyKey: intent.key });
      intent.done();
      setState({ working: false });
    } catch (error) {
      if (isRefusal(error)) intent.done();
      setState({ working: false, error });
    } finally {
      working.current = false;
    }
  };
  const clear = useCallback(() => setState(({ working }) => ({ working })), []);
  return { run, working: state.working, error: state.error, clear };
}
