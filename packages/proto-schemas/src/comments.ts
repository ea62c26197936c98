/** A comment as a document uses it. */
export type Comment = {
  /** The first paragraph on one line, without its full stop. */
  readonly summary: string;
  /** The other paragraphs, in Markdown. */
  readonly rest: string;
  /** All of it, in Markdown. */
  readonly text: string;
  /** What stands in backquotes after `Example:`. */
  readonly examples: readonly string[];
};

/** Only from a sentence of its own: what goes on after the example is worth reading. */
const exampleSentence = /\s*\bExamples?:\s+`([^`]+)`\.(?=\s|$)/g;
const exampleInText = /\bExamples?:\s+`([^`]+)`/g;
/** What linters are told, and what AIP-192 marks as not for the public. */
const linterLine = /^ *(buf:lint:|buf:breaking:|api-linter:|protolint:).*$/gm;
const internal = /\(--[\s\S]*?--\)/g;
/** `[Order][orders.v1.Order]`, as Google's protos link to types: Markdown knows no such target. */
const typeLink = /\[([^\][]+)\]\[[\w. ]*\]/g;

/** Reads a comment of a proto, as the compiler keeps it: without slashes, one space in front. */
export function readComment(raw: string): Comment {
  const all = raw
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(internal, "")
    .replaceAll(linterLine, "")
    .replaceAll(/^ /gm, "")
    .replaceAll(/[ \t]+$/gm, "")
    .replaceAll(typeLink, (_, label: string) => (label.startsWith("`") ? label : `\`${label}\``));
  const examples = Array.from(all.matchAll(exampleInText), ([, example = ""]) =>
    example.replaceAll(/\s+/g, " "),
  );
  const text = all
    .replaceAll(exampleSentence, "")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
  const end = text.indexOf("\n\n");
  const first = end < 0 ? text : text.slice(0, end);
  return {
    summary: first.replaceAll(/\s*\n\s*/g, " ").replace(/(?<!\.)\.$/, ""),
    rest: end < 0 ? "" : text.slice(end).trim(),
    text,
    examples,
  };
}

/** Puts paragraphs together; undefined where all of them are empty. */
export function paragraphs(...texts: readonly string[]): string | undefined {
  const filled = texts.filter((text) => text !== "");
  return filled.length === 0 ? undefined : filled.join("\n\n");
}
