import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * For an element that may disappear while it has the focus. The focus then moves to the `heir`, or
 * else to the link or heading of the surrounding part, so that keyboard users keep their place.
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
