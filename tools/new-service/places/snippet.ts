import type { ListedService } from "../../../services/services.ts";

/**
 * Lines that a text file contains for each service, after those of the previous service. They are
 * found by their first line and by indentation. Lines added inside are therefore part of the
 * snippet, and the file needs no markers.
 */
export type Snippet = {
  /** Describes the snippet in messages; with `{name}`, `{NAME}`, `{Name}` and `{port}` filled in. */
  readonly what: string;
  /** The text, with the same placeholders; ends with a line break. */
  readonly text: string;
  /** The beginning of the first line, if that is enough to recognize it; by default the whole line. */
  readonly key?: string;
  /** Whether an empty line separates the snippet from the previous one. */
  readonly isSpaced?: boolean;
  /** Words that occur in the first line in place of a service name, but are not services. */
  readonly others?: readonly string[];
};

/** Replaces the placeholders in a text. */
export function fillIn(text: string, { name, port }: ListedService): string {
  return text
    .replaceAll("{name}", name)
    .replaceAll("{NAME}", name.toUpperCase())
    .replaceAll("{Name}", name.charAt(0).toUpperCase() + name.slice(1))
    .replaceAll("{port}", String(port));
}

/**
 * Whether `text` contains the snippet of the service. Compares the lines that are indented no deeper
 * than the first, and those that name the service; other lines may differ between services.
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

/** Returns the names of the services whose snippet is in `text`, in order. */
export function namesIn(text: string, snippet: Snippet): readonly string[] {
  const pattern = patternOf(snippet);
  return text.split("\n").flatMap((line) => {
    const name = pattern.exec(line)?.groups?.name?.toLowerCase();
    return name === undefined || snippet.others?.includes(name) ? [] : [name];
  });
}

/** Adds the snippet of the service after the last existing one; throws if there is none. */
export function addSnippet(text: string, snippet: Snippet, service: ListedService): string {
  const last = namesIn(text, snippet).at(-1);
  if (last === undefined)
    throw new Error(`no service has the ${snippet.what}: restore it for one, to add another after`);
  const lines = text.split("\n");
  const { to } = extentOf(lines, snippet, last);
  const added = fillIn(snippet.text, service).split("\n").slice(0, -1);
  lines.splice(to, 0, ...(snippet.isSpaced ? [""] : []), ...added);
  return lines.join("\n");
}

/** Removes the snippet of the service, with lines added inside; if there is none, does nothing. */
export function removeSnippet(text: string, snippet: Snippet, name: string): string {
  if (!namesIn(text, snippet).includes(name)) return text;
  const lines = text.split("\n");
  const { from, to } = extentOf(lines, snippet, name);
  const first = snippet.isSpaced && lines[from - 1] === "" ? from - 1 : from;
  lines.splice(first, to - first);
  return lines.join("\n");
}

/** Returns a pattern of the first line for any service. */
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
 * Returns the range of the snippet with this name: as many lines as its template has at the depth of
 * the first line, and all deeper lines below them. Blank lines and comments that follow are not part
 * of it.
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
