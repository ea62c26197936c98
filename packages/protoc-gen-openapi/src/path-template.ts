/** A segment of a path: literal text, or a variable. */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "value";
      /** The field path in proto names; empty for a wildcard outside of a variable. */
      readonly field: string;
      /** The pattern of the whole variable, such as `users/*`. */
      readonly pattern: string;
      /** Whether the value can contain slashes: `**`. */
      readonly slashes: boolean;
      /** The preceding literal in the same variable, which distinguishes its values. */
      readonly after: string;
    };

/** A parsed path template of a google.api.http rule. */
export type PathTemplate = {
  readonly segments: readonly Segment[];
  /** The field paths of variables without a wildcard: `{name=locations}`. */
  readonly fixed: readonly string[];
  /** The text after the colon that follows the last segment; empty without one. */
  readonly verb: string;
};

/**
 * Parses a path template by the grammar in google/api/http.proto. Returns the error if it is
 * invalid.
 */
export function parsePathTemplate(template: string): PathTemplate | { readonly fault: string } {
  const fault = (what: string) => ({ fault: `the path template ${template} ${what}` });
  if (!template.startsWith("/")) return fault("must start with a slash");
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
    else if (/[{}*]/.test(part))
      return fault(`has the segment ${part}, which is neither text nor one variable`);
    else segments.push({ kind: "literal", text: part });
  }
  const open = segments.findIndex((segment) => segment.kind === "value" && segment.slashes);
  if (open >= 0 && segments.slice(open + 1).some(({ kind }) => kind === "value")) {
    return fault("has a variable after `**`");
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
 * Writes the path in the form of OpenAPI, with the parameter names of `nameOf`. Literals are kept;
 * a variable over several segments becomes one parameter for each of its wildcards.
 */
export function writePath(template: PathTemplate, nameOf: (valueIndex: number) => string): string {
  let values = 0;
  const parts = template.segments.map((segment) =>
    segment.kind === "literal" ? segment.text : `{${nameOf(values++)}}`,
  );
  return `/${parts.join("/")}${template.verb === "" ? "" : `:${template.verb}`}`;
}
