import type { RefObject } from "react";
import { useFocusHeir } from "../design/use-focus-heir.ts";

/** Stops what `starter` has started, and returns the focus to it when the button disappears. */
export function StopButton(props: {
  readonly starter: RefObject<HTMLElement | null>;
  readonly children: string;
  onClick(): void;
}) {
  const ref = useFocusHeir<HTMLButtonElement>(props.starter);
  return (
    <button ref={ref} type="button" className="quiet" onClick={props.onClick}>
      {props.children}
    </button>
  );
}
