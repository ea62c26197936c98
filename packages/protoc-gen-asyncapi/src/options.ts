import { type GivenOption, OptionFault } from "@settle/proto-schemas/plugin";

/** The options of the plugin; see {@link usage}. */
export type Options = {
  readonly base: string | undefined;
  readonly name: string;
};

/** The output of `--help`. */
export const usage = `protoc-gen-asyncapi: AsyncAPI 3.0 for events that are declared in protos

A plugin for buf and protoc. Writes one document with all events of the given proto files; none if
there are no events. A message is an event if it has an option with its publisher and its consumers.
Events are sent over AMQP 0.9.1, with their full name as routing key.
In buf.gen.yaml, use \`strategy: all\`, because the document combines several proto files:

  - local: protoc-gen-asyncapi
    out: gen/asyncapi
    strategy: all
    opt:
      - base=proto/asyncapi.yaml

Options:
  base=<file>   settings that are not in the protos: the option that marks events, the names of
                exchanges and queues, title, servers and AMQP properties. YAML or JSON; the path is
                relative to the working directory of the compiler. The README describes the keys.
                Required.
  name=<name>   writes <name>.json (default: asyncapi)

Fails, with file and line, if an event has an invalid publisher or consumer.`;

/** Reads the options; throws if one is unknown or empty. */
export function readOptions(given: readonly GivenOption[]): Options {
  const values = new Map<string, string>();
  for (const { key, value } of given) {
    if (key !== "base" && key !== "name") {
      throw new OptionFault(`unknown option ${key}; see --help`);
    }
    if (value === "") throw new OptionFault(`option ${key} needs a value; see --help`);
    values.set(key, value);
  }
  return { base: values.get("base"), name: values.get("name") ?? "asyncapi" };
}
