import type { CSSProperties } from "react";

/**
 * Returns the style of a large figure that shows these texts, for the class `figure`: it becomes
 * smaller instead of breaking in the middle of a number.
 */
export function widthOf(texts: readonly { readonly text: string }[]): CSSProperties {
  const length = texts.reduce((sum, { text }) => sum + text.length, 0);
  return { "--figure-length": Math.max(1, length) } as CSSProperties;
}
