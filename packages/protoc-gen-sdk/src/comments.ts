import type { getComments } from "@bufbuild/protoplugin";

/** Returns the leading comment of a declaration as plain text. */
export function commentText({ leading = "" }: ReturnType<typeof getComments>): string {
  return leading
    .split("\n")
    .map((line) => line.replace(/^ /, "").trimEnd())
    .join("\n")
    .trim();
}

/** Returns the text on one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
