import { type GivenOption, OptionFault } from "@settle/proto-schemas/plugin/plugin";

/** The options of the plugin; see {@link usage}. */
export type Options = {
  readonly base: string | undefined;
  readonly name: string;
};

/** What `--help` prints. */
export const usage = `protoc-gen-asyncapi: AsyncAPI 3.0 documents from protos that define events

A plugin for buf and protoc. Writes one document with every event in the given files, or none if there
is no event. A message is an event if it has a message option of yours that names the service that sends
it and those that receive it. Events travel over AMQP 0.9.1, with their full name as the routing key.
In buf.gen.yaml, with \`strategy: all\`, because the document describes all files:

  - local: protoc-gen-asyncapi
    out: gen/asyncapi
    strategy: all
    opt:
      - base=proto/asyncapi.yaml

Options:
  base=<file>   required; what protos cannot express: which option makes an event, the names of exchanges
                and queues, title, servers, AMQP properties (YAML or JSON; the path is relative to
                where the compiler runs; the README lists the keys)
  name=<name>   writes the document to <name>.json (default: asyncapi)

--help and --version print this and the version.

Events with an invalid route are refused, by file and line.`;

/** Reads the options; throws if one is unknown or empty. */
export function readOptions(given: readonly GivenOption[]): Options {
  const values = new Map<string, string>();
  for (const { key, value } of given) {
    if (key !== "base" && key !== "name") {
      throw new OptionFault(`unknown option ${key}; see protoc-gen-asyncapi --help`);
    }
    if (value === "")
      throw new OptionFault(`option ${key} needs a value; see protoc-gen-asyncapi --help`);
    values.set(key, value);
  }
  return { base: values.get("base"), name: values.get("name") ?? "asyncapi" };
}
