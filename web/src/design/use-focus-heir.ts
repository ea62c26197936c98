import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * For something that may go away while it has the focus: that then goes to the `heir`, else to the link
 * or heading of whatever it was part of, so that nobody who uses a keyboard has to begin at the top again.
 */
export function useFocusHeir<T extends HTMLElement>(
  heir?: RefObject<HTMLElement | null>,
): RefObject<T | null> {
  const ref = useRef<T>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    const near = element
      ?.closest("li, header, section")
      ?.querySelector<HTMLElement>("a, h1, button.quiet");
    return () => {
      if (element && element === document.activeElement) (heir?.current ?? near)?.focus();
    };
  }, [heir]);
  return ref;
}
