import { type GivenOption, OptionFault } from "@settle/proto-schemas/plugin";

/** How a server stream is written over REST: Envoy's print options of the same meaning. */
export type StreamFraming = "array" | "ndjson" | "sse";

/** The options of the plugin, as {@link usage} tells them. */
export type Options = {
  readonly base: string | undefined;
  readonly merged: string | undefined;
  readonly unsupported: "error" | "warn";
  readonly defaults: "omitted" | "printed";
  readonly streams: StreamFraming;
};

/** What `--help` prints. */
export const usage = `protoc-gen-openapi: OpenAPI 3.1 from protos with google.api.http, as Envoy transcodes them

A plugin of buf and protoc. Writes <package>.json for each package that has methods with HTTP rules.
In buf.gen.yaml, with \`strategy: all\`, because a document may take several files:

  - local: protoc-gen-openapi
    out: gen/openapi
    strategy: all
    opt:
      - base=proto/openapi.yaml

Options:
  base=<file>           what no proto says: title, servers, security, headers, errors (YAML or JSON,
                        relative to where the compiler runs; the README has its keys)
  merged=<name>         one document <name>.json more, with all packages
  unsupported=error     refuses, by file and line, what Envoy does not do: response_body, maps and
                        repeated messages in a query, two methods on one path (default)
  unsupported=warn      leaves it out and says so on stderr
  defaults=omitted      answers may leave out fields with default values (default)
  defaults=printed      answers always hold what always_print_primitive_fields prints: marked required
  streams=array         streams are one JSON array (default)
  streams=ndjson        stream_newline_delimited: one JSON value a line
  streams=sse           stream_sse_style_delimited: server-sent events`;

const choices = {
  unsupported: ["error", "warn"],
  defaults: ["omitted", "printed"],
  streams: ["array", "ndjson", "sse"],
} as const;

/** Reads the options the compiler passes on; throws for one that is unknown or has another value. */
export function readOptions(given: readonly GivenOption[]): Options {
  const values = new Map<string, string>();
  for (const { key, value } of given) {
    if (value === "") throw new OptionFault(`option ${key} needs a value; --help explains`);
    if (Object.hasOwn(choices, key)) {
      const allowed: readonly string[] = choices[key as keyof typeof choices];
      if (!allowed.includes(value))
        throw new OptionFault(`option ${key} must be ${allowed.join(" or ")}`);
    } else if (key !== "base" && key !== "merged") {
      throw new OptionFault(`there is no option ${key}; --help explains`);
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
    streams: choose("streams"),
  };
}
