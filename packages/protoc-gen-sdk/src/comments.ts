import type { getComments } from "@bufbuild/protoplugin";

/** The comment before a declaration, as plain text. */
export function commentText({ leading = "" }: ReturnType<typeof getComments>): string {
  return leading
    .split("\n")
    .map((line) => line.replace(/^ /, "").trimEnd())
    .join("\n")
    .trim();
}

/** The text in one paragraph. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
