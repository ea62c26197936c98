import type { Int64Form } from "@settle/proto-schemas/json/elements";
import { type GivenOption, OptionFault } from "@settle/proto-schemas/plugin/plugin";

/** The framing of a server stream over REST, as in Envoy's print options. */
export type StreamFraming = "array" | "ndjson" | "sse";

/** The options of the plugin; see {@link usage}. */
export type Options = {
  readonly base: string | undefined;
  readonly merged: string | undefined;
  readonly unsupported: "error" | "warn";
  readonly defaults: "omitted" | "printed";
  readonly int64: Int64Form;
  readonly streams: StreamFraming;
};

/** What `--help` prints. */
export const usage = `protoc-gen-openapi: OpenAPI 3.1 documents from protos with google.api.http annotations, for Envoy

A plugin for buf and protoc. Writes <package>.json for each package that has methods with HTTP rules.
In buf.gen.yaml, with \`strategy: all\`, because a document can describe several files:

  - local: protoc-gen-openapi
    out: gen/openapi
    strategy: all
    opt:
      - base=proto/openapi.yaml

Options:
  base=<file>           what protos cannot express: title, servers, security, headers, errors (YAML or
                        JSON; the path is relative to where the compiler runs; the README lists the
                        keys)
  merged=<name>         also writes <name>.json, one document with all packages
  unsupported=error     refuses, by file and line, what Envoy does not support: response_body, maps and
                        repeated messages in a query, two methods on one path (default)
  unsupported=warn      leaves it out of the document and prints a warning on stderr
  defaults=omitted      responses may omit fields that have their default values (default)
  defaults=printed      responses always contain the fields that Envoy prints with
                        always_print_primitive_fields: these are marked as required
  int64=string          requests write a 64-bit integer as a string, as responses do, although Envoy
                        accepts a number as well (default)
  int64=string-or-number
                        requests write it as a string or a number; many generators of clients cannot
                        express that
  streams=array         a stream is one JSON array (default)
  streams=ndjson        a stream is one JSON value per line: for stream_newline_delimited
  streams=sse           a stream is server-sent events: for stream_sse_style_delimited

--help and --version print this and the version.`;

const choices = {
  unsupported: ["error", "warn"],
  defaults: ["omitted", "printed"],
  int64: ["string", "string-or-number"],
  streams: ["array", "ndjson", "sse"],
} as const;

/** Reads the options; throws if one is unknown or its value is not allowed. */
export function readOptions(given: readonly GivenOption[]): Options {
  const values = new Map<string, string>();
  for (const { key, value } of given) {
    if (value === "")
      throw new OptionFault(`option ${key} needs a value; see protoc-gen-openapi --help`);
    if (Object.hasOwn(choices, key)) {
      const allowed: readonly string[] = choices[key as keyof typeof choices];
      if (!allowed.includes(value))
        throw new OptionFault(`option ${key} must be ${allowed.join(" or ")}`);
    } else if (key !== "base" && key !== "merged") {
      throw new OptionFault(`unknown option ${key}; see protoc-gen-openapi --help`);
    }
    values.set(key, value);
  }
  const choose = <K extends keyof typeof choices>(key: K) =>
    (values.get(key) ?? choices[key][0]) as (typeof choices)[K][number];
  return {
    base: values.get("base"),
    merged: values.get("merged"),
    unsupported: choose("unsupported"),
    defaults: choose("defaults"),
    int64: choose("int64"),
    streams: choose("streams"),
  };
}
