import type { ListedService } from "../../../services/services.ts";

/**
 * What a file without a data model of its own says of each service: lines that stand after those of
 * the service before. They are found by their first line and by how far they are indented, so what
 * somebody adds inside belongs to them, and neither line numbers nor marks are needed.
 */
export type Snippet = {
  /** What it is to a reader who misses it. `{name}`, `{NAME}`, `{Name}` and `{port}` are put in. */
  readonly what: string;
  /** Its text, with the same placeholders; ends with a line break. */
  readonly text: string;
  /** How its first line begins, where it is longer than what tells it from other lines. */
  readonly key?: string;
  /** Whether an empty line separates it from the one before. */
  readonly isSpaced?: boolean;
  /** What the first line holds where a service's name would be, and is no service. */
  readonly others?: readonly string[];
};

/** Puts the service's names into a text with placeholders. */
export function fillIn(text: string, { name, port }: ListedService): string {
  return text
    .replaceAll("{name}", name)
    .replaceAll("{NAME}", name.toUpperCase())
    .replaceAll("{Name}", name.charAt(0).toUpperCase() + name.slice(1))
    .replaceAll("{port}", String(port));
}

/**
 * Whether `text` has the snippet of the service: its lines that are no deeper than the first, and
 * those that name the service. Other lines may differ from one service to the next.
 */
export function hasSnippet(text: string, snippet: Snippet, service: ListedService): boolean {
  const lines = text.split("\n");
  if (!namesIn(text, snippet).includes(service.name)) return false;
  const { from, to } = extentOf(lines, snippet, service.name);
  const own = new Set(lines.slice(from, to));
  const templates = snippet.text.split("\n").filter((line) => line !== "");
  const depth = depthOf(templates[0] ?? "");
  return templates
    .filter((line) => depthOf(line) <= depth || fillIn(line, service) !== line)
    .every((line) => own.has(fillIn(line, service)));
}

/** The names of which `text` has the snippet, in their order. */
export function namesIn(text: string, snippet: Snippet): readonly string[] {
  const pattern = patternOf(snippet);
  return text.split("\n").flatMap((line) => {
    const name = pattern.exec(line)?.groups?.name?.toLowerCase();
    return name === undefined || snippet.others?.includes(name) ? [] : [name];
  });
}

/** Adds the snippet of the service after the last that there is; throws where there is none. */
export function addSnippet(text: string, snippet: Snippet, service: ListedService): string {
  const last = namesIn(text, snippet).at(-1);
  if (last === undefined)
    throw new Error(`no service has its ${snippet.what} to add another after`);
  const lines = text.split("\n");
  const { to } = extentOf(lines, snippet, last);
  const added = fillIn(snippet.text, service).split("\n").slice(0, -1);
  lines.splice(to, 0, ...(snippet.isSpaced ? [""] : []), ...added);
  return lines.join("\n");
}

/** Removes the snippet of the service of that name, with what was added inside; nothing without one. */
export function removeSnippet(text: string, snippet: Snippet, name: string): string {
  if (!namesIn(text, snippet).includes(name)) return text;
  const lines = text.split("\n");
  const { from, to } = extentOf(lines, snippet, name);
  const first = snippet.isSpaced && lines[from - 1] === "" ? from - 1 : from;
  lines.splice(first, to - first);
  return lines.join("\n");
}

/** Matches the first line for any service. */
function patternOf({ text, key = text.split("\n", 1)[0] ?? "" }: Snippet): RegExp {
  const isWhole = text.startsWith(`${key}\n`);
  let hasName = false;
  const source = RegExp.escape(key)
    .replaceAll(/\\\{(name|NAME|Name)\\\}/g, (_, form: string) => {
      const letters = form === "NAME" ? "[A-Z][A-Z0-9]*" : "[A-Za-z][a-z0-9]*";
      if (hasName || form === "Name") return letters;
      hasName = true;
      return `(?<name>${letters})`;
    })
    .replaceAll("\\{port\\}", "\\d+");
  return new RegExp(`^${source}${isWhole ? "$" : ""}`);
}

/**
 * The lines of the snippet of this name: its first line, and for as many lines as its text has at the
 * same depth what is deeper. Blank lines and comments behind it belong to what follows.
 */
function extentOf(
  lines: readonly string[],
  snippet: Snippet,
  name: string,
): { readonly from: number; readonly to: number } {
  const pattern = patternOf(snippet);
  const from = lines.findIndex((line) => pattern.exec(line)?.groups?.name?.toLowerCase() === name);
  const depth = depthOf(lines[from] ?? "");
  let heads = snippet.text.split("\n").filter((line) => line && depthOf(line) <= depth).length;
  let to = from;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    if (depthOf(line) <= depth) {
      if (heads === 0) break;
      heads -= 1;
    }
    to = at + 1;
  }
  return { from, to };
}

function depthOf(line: string): number {
  return line.length - line.trimStart().length;
}
