import { type GivenOption, OptionFault } from "@settle/proto-schemas/plugin";

/** The framing of a server stream over REST, as in Envoy's print options. */
export type StreamFraming = "array" | "ndjson" | "sse";

/** The options of the plugin; see {@link usage}. */
export type Options = {
  readonly base: string | undefined;
  readonly merged: string | undefined;
  readonly unsupported: "error" | "warn";
  readonly defaults: "omitted" | "printed";
  readonly streams: StreamFraming;
};

/** The output of `--help`. */
export const usage = `protoc-gen-openapi: OpenAPI 3.1 for gRPC services behind Envoy's JSON transcoder

A plugin for buf and protoc. Writes <package>.json for each package with google.api.http rules.
In buf.gen.yaml, use \`strategy: all\`, because a document can combine several proto files:

  - local: protoc-gen-openapi
    out: gen/openapi
    strategy: all
    opt:
      - base=proto/openapi.yaml

Options:
  base=<file>           settings that are not in the protos: title, servers, security, headers and
                        errors. YAML or JSON; the path is relative to the working directory of the
                        compiler. The README describes the keys.
  merged=<name>         also writes <name>.json, a document with all packages
  unsupported=error     fails, with file and line, if the protos use what Envoy does not support:
                        response_body, maps or repeated messages in a query, or the same path for
                        two methods (default)
  unsupported=warn      leaves out what Envoy does not support and prints warnings to stderr
  defaults=omitted      responses may omit fields with default values (default)
  defaults=printed      for always_print_primitive_fields: marks the printed fields as required
  streams=array         streams are JSON arrays (default)
  streams=ndjson        for stream_newline_delimited: one JSON value per line
  streams=sse           for stream_sse_style_delimited: server-sent events`;

const choices = {
  unsupported: ["error", "warn"],
  defaults: ["omitted", "printed"],
  streams: ["array", "ndjson", "sse"],
} as const;

/** Reads the options; throws if one is unknown or its value is not allowed. */
export function readOptions(given: readonly GivenOption[]): Options {
  const values = new Map<string, string>();
  for (const { key, value } of given) {
    if (value === "") throw new OptionFault(`option ${key} needs a value; see --help`);
    if (Object.hasOwn(choices, key)) {
      const allowed: readonly string[] = choices[key as keyof typeof choices];
      if (!allowed.includes(value))
        throw new OptionFault(`option ${key} must be ${allowed.join(" or ")}`);
    } else if (key !== "base" && key !== "merged") {
      throw new OptionFault(`unknown option ${key}; see --help`);
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
