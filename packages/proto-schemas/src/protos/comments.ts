/** A comment, prepared for a document. */
export type Comment = {
  /** The first paragraph on one line, without the full stop. */
  readonly summary: string;
  /** The other paragraphs, in Markdown. */
  readonly rest: string;
  /** The whole comment, in Markdown. */
  readonly text: string;
  /** The text in backquotes after `Example:`. */
  readonly examples: readonly string[];
};

/** A separate sentence with only an example, which is removed from the text. */
const exampleSentence = /\s*\bExamples?:\s+`([^`]+)`\.(?=\s|$)/g;
const exampleInText = /\bExamples?:\s+`([^`]+)`/g;
/** Directives for linters, and comments that AIP-192 marks as internal. */
const linterLine = /^ *(buf:lint:|buf:breaking:|api-linter:|protolint:).*$/gm;
const internal = /\(--[\s\S]*?--\)/g;
/**
 * `[Order][orders.v1.Order]`, a link to a type in Google's protos, which Markdown cannot resolve.
 */
const typeLink = /\[([^\][]+)\]\[[\w. ]*\]/g;

const noComment: Comment = { summary: "", rest: "", text: "", examples: [] };

/** Reads a comment of a proto as in a descriptor: without slashes, with one leading space. */
export function readComment(raw: string): Comment {
  if (raw === "") return noComment;
  const all = raw
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(internal, "")
    .replaceAll(linterLine, "")
    .replaceAll(/^ /gm, "")
    .replaceAll(/(?<![ \t])[ \t]+$/gm, "")
    .replaceAll(typeLink, (_, label: string) => (label.startsWith("`") ? label : `\`${label}\``));
  // Most comments have no examples, and the search takes as long as everything else.
  const hasExamples = all.includes("Example");
  const examples = hasExamples
    ? Array.from(all.matchAll(exampleInText), ([, example = ""]) => example.replaceAll(/\s+/g, " "))
    : [];
  const text = (hasExamples ? all.replaceAll(exampleSentence, "") : all)
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

/** Joins paragraphs; undefined if all of them are empty. */
export function paragraphs(...texts: readonly string[]): string | undefined {
  const filled = texts.filter((text) => text !== "");
  return filled.length === 0 ? undefined : filled.join("\n\n");
}
