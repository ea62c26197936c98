import { parseArgs } from "node:util";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";

/** What `npm run new-service` was asked for. */
export type Request =
  | { readonly kind: "help" }
  | { readonly kind: "remove"; readonly name: string }
  | {
      readonly kind: "create";
      readonly name: string;
      /** The full names of events, as they were given, each once. */
      readonly events: readonly string[];
      /** As it was given; undefined for the next that is free. */
      readonly port: number | undefined;
      /** Whether files to be edited may hold changes that are not committed. */
      readonly allowDirty: boolean;
    };

/** What `--help` prints. */
export const usage = `npm run new-service -- <name> --handles <event> [--handles <event> ...] [options]
npm run new-service -- <name> --remove

Writes a service that runs: its contract (proto/<name>/) with one method, services/<name>/ with a
database of its own, a handler of these events and tests, and its place wherever services are named:
the list of services, the events' routes, npm start, compose, the edge, the documents and the SDK.

  npm run new-service -- shipping --handles events.v1.PaymentResultEvent

  <name>         becomes a package, a database, a role, a user and queues of the broker, variables and
                 identifiers: a lower-case letter, then lower-case letters and digits, 2 to 30 in all
  --handles      an event of the contract; may be repeated, or hold several with commas between
  --port         where it listens (the next port that is free)
  --allow-dirty  edits files with changes that are not committed, too
  --remove       takes the service out again, unless that would lose what git does not have
  --help         show this

The publisher of an event never waits for the new service (also_to in the event's route). Everything is
prepared in a copy of the project first; where something goes wrong, or on Ctrl-C, nothing is changed.

Events:
${file_events_v1_events.messages.map(({ typeName }) => `  ${typeName}`).join("\n")}`;

/** Reads the arguments; throws for those that are not understood. */
export function readRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      handles: { type: "string", multiple: true, default: [] },
      port: { type: "string" },
      "allow-dirty": { type: "boolean", default: false },
      remove: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return { kind: "help" };
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) {
    throw new Error("Give one name: npm run new-service -- <name> --handles <event>");
  }
  const events = values.handles.flatMap((list) => list.split(",").map((event) => event.trim()));
  if (values.remove) {
    if (events.length > 0 || values.port !== undefined || values["allow-dirty"]) {
      throw new Error("--remove goes with a name alone");
    }
    return { kind: "remove", name };
  }
  return {
    kind: "create",
    name,
    events: [...new Set(events.filter(Boolean))],
    port: values.port === undefined ? undefined : readPort(values.port),
    allowDirty: values["allow-dirty"],
  };
}

function readPort(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`--port "${text}" is no whole number`);
}
