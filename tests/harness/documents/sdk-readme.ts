/** The program that packages/sdk/README.md tells its reader to paste together. */
export type ReadmeProgram = {
  readonly source: string;
  /** What it prints, line by line. */
  readonly printed: readonly string[];
};

/**
 * Joins the blocks fenced as `ts`. What a `console.log` prints stands behind it in a comment, with
 * commas between what it prints one after the other.
 */
export function readProgram(markdown: string): ReadmeProgram {
  const blocks = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
  const source = blocks.join("\n");
  const printed = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(
    ([, comment = ""]) => comment.split(", "),
  );
  return { source, printed };
}
