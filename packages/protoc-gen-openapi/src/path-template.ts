/** A segment of a path: text, or a place for a value. */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "value";
      /** The field path in proto names, empty for a wildcard outside of a variable. */
      readonly field: string;
      /** All that the variable stands for, such as `users/*`. */
      readonly pattern: string;
      /** Whether slashes are part of the value: `**`. */
      readonly slashes: boolean;
      /** The literal in front of it inside its variable, which tells several values apart. */
      readonly after: string;
    };

/** The path template of a google.api.http rule, taken apart. */
export type PathTemplate = {
  readonly segments: readonly Segment[];
  /** The field paths of variables that hold no wildcard: `{name=locations}`. */
  readonly fixed: readonly string[];
  /** What follows the last segment after a colon; empty without one. */
  readonly verb: string;
};

/**
 * Reads a path template by the grammar of google/api/http.proto. Returns what is wrong with one
 * that does not follow it.
 */
export function parsePathTemplate(template: string): PathTemplate | { readonly fault: string } {
  const fault = (what: string) => ({ fault: `the path template ${template} ${what}` });
  if (!template.startsWith("/")) return fault("does not start with a slash");
  const verbStart = template.search(/:[^{}/:]*$/);
  const path = template.slice(1, verbStart < 0 ? undefined : verbStart);
  const segments: Segment[] = [];
  const fixed: string[] = [];
  for (const part of splitOutsideBraces(path)) {
    const variable = /^\{([\w.]+)(?:=([^{}]+))?\}$/.exec(part);
    if (variable) {
      const [, field = "", pattern = "*"] = variable;
      const read = readVariable(field, pattern);
      segments.push(...read);
      if (read.every(({ kind }) => kind === "literal")) fixed.push(field);
    } else if (part === "*" || part === "**") segments.push(value("", part, part, ""));
    else if (part === "") return fault("has an empty segment");
    else if (/[{}*]/.test(part)) return fault(`has the segment ${part}, which is no whole one`);
    else segments.push({ kind: "literal", text: part });
  }
  const open = segments.findIndex((segment) => segment.kind === "value" && segment.slashes);
  if (open >= 0 && segments.slice(open + 1).some(({ kind }) => kind === "value")) {
    return fault("goes on with a variable after `**`");
  }
  return { segments, fixed, verb: verbStart < 0 ? "" : template.slice(verbStart + 1) };
}

function readVariable(field: string, pattern: string): readonly Segment[] {
  let after = "";
  return pattern.split("/").map((part) => {
    if (part !== "*" && part !== "**") {
      after = part;
      return { kind: "literal", text: part };
    }
    const segment = value(field, part, pattern, after);
    after = "";
    return segment;
  });
}

function value(field: string, part: string, pattern: string, after: string): Segment {
  return { kind: "value", field, pattern, slashes: part === "**", after };
}

function splitOutsideBraces(path: string): readonly string[] {
  return path.split(/\/(?![^{]*\})/);
}

/**
 * Writes the path as OpenAPI has it, with the names of `nameOf` for its values: literals stay what
 * they are, a variable over several segments becomes one parameter for each of its wildcards.
 */
export function writePath(template: PathTemplate, nameOf: (valueIndex: number) => string): string {
  let values = 0;
  const parts = template.segments.map((segment) =>
    segment.kind === "literal" ? segment.text : `{${nameOf(values++)}}`,
  );
  return `/${parts.join("/")}${template.verb === "" ? "" : `:${template.verb}`}`;
}
