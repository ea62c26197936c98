/** The program in the code blocks of packages/sdk/README.md. */
export type ReadmeProgram = {
  readonly source: string;
  /** Its expected output, line by line. */
  readonly printed: readonly string[];
};

/**
 * Joins the blocks fenced as `ts`. A comment after each `console.log` has its expected output, with
 * commas between successive outputs.
 */
export function readProgram(markdown: string): ReadmeProgram {
  const blocks = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
  const source = blocks.join("\n");
  const printed = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(
    ([, comment = ""]) => comment.split(", "),
  );
  return { source, printed };
}
