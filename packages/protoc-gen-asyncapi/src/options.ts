import { type GivenOption, OptionFault } from "@settle/proto-schemas/plugin";

/** The options of the plugin, as {@link usage} tells them. */
export type Options = {
  readonly base: string | undefined;
  readonly name: string;
};

/** What `--help` prints. */
export const usage = `protoc-gen-asyncapi: AsyncAPI 3.0 from protos whose messages say that they are events

A plugin of buf and protoc. Writes one document with every event of the files it is given; none where
there is no event. A message is an event by an option that names the service it is from and those it
goes to; it travels over AMQP 0.9.1, by its full name as routing key.
In buf.gen.yaml, with \`strategy: all\`, because the document takes several files:

  - local: protoc-gen-asyncapi
    out: gen/asyncapi
    strategy: all
    opt:
      - base=proto/asyncapi.yaml

Options:
  base=<file>   what no proto says: which option makes an event, how exchanges and queues are called,
                title, servers, AMQP properties (YAML or JSON, relative to where the compiler runs;
                the README has its keys); needed
  name=<name>   the document is <name>.json (asyncapi)

Events whose route cannot be written are refused by file and line.`;

/** Reads the options the compiler passes on; throws for one that is unknown or empty. */
export function readOptions(given: readonly GivenOption[]): Options {
  const values = new Map<string, string>();
  for (const { key, value } of given) {
    if (key !== "base" && key !== "name") {
      throw new OptionFault(`there is no option ${key}; --help explains`);
    }
    if (value === "") throw new OptionFault(`option ${key} needs a value; --help explains`);
    values.set(key, value);
  }
  return { base: values.get("base"), name: values.get("name") ?? "asyncapi" };
}
