import { useCallback, useRef, useState } from "react";
import { useClient } from "../session/client.ts";
import { isRefusal } from "./is-refusal.ts";

/** The action of a button, with its state and last error. */
export type Action<Input> = {
  /** Runs the action unless it is already running. Never rejects. */
  run(input: Input): Promise<void>;
  readonly working: boolean;
  /** The error of the last run, until the next one or {@link Action.clear}. */
  readonly error: unknown;
  clear(): void;
};

/**
 * Creates an action for the user. It runs once at a time. Runs with the same `name` and input use
 * the same idempotency key until the outcome is known, also from another component (see `Intents`).
 */
export function useAction<Input>(
  name: string,
  act: (input: Input, options: { readonly idempotencyKey: string }) => Promise<void>,
): Action<Input> {
  const { intents } = useClient();
  const [state, setState] = useState<{ working: boolean; error?: unknown }>({ working: false });
  // A second click can come before the render of the first one.
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
