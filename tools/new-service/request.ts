import { parseArgs } from "node:util";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";

/** The request in the arguments of `npm run new-service`. */
export type Request =
  | { readonly kind: "help" }
  | { readonly kind: "remove"; readonly name: string }
  | {
      readonly kind: "create";
      readonly name: string;
      /** The names of the events as given, without duplicates. */
      readonly events: readonly string[];
      /** The port as given; undefined means the next free one. */
      readonly port: number | undefined;
      /** Whether files with uncommitted changes may be edited. */
      readonly allowDirty: boolean;
    };

/** The text of `--help`. */
export const usage = `npm run new-service -- <name> --handles <event> [--handles <event> ...] [options]
npm run new-service -- <name> --remove

Creates a service that runs: a contract with one method in proto/<name>/, and services/<name>/ with a
database, a handler of the events and tests. Adds the service to everything that lists services: the
list of services, the routes of the events, npm start, compose, the edge, the documents and the SDK.

  npm run new-service -- shipping --handles events.v1.PaymentResultEvent

  <name>         a lower-case letter followed by lower-case letters and digits, 2 to 30 characters in
                 total; also names the package, the database and its role, the user and the queues on
                 the broker, environment variables and identifiers
  --handles      an event to handle; can be repeated, or take several events separated by commas
  --port         the port to listen on (the next free one)
  --allow-dirty  edit files even if they have uncommitted changes
  --remove       remove the service, unless uncommitted work would be lost
  --help         print this help

The routes of the events list the new service in also_to, so no publisher ever waits for it. The
command prepares all changes in a copy of the project. If it fails or you press Ctrl-C, nothing is
changed.

Events:
${file_events_v1_events.messages.map(({ typeName }) => `  ${typeName}`).join("\n")}`;

/** Reads the arguments; throws if they are invalid. */
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
    throw new Error("give exactly one name: npm run new-service -- <name> --handles <event>");
  }
  const events = values.handles.flatMap((list) => list.split(",").map((event) => event.trim()));
  if (values.remove) {
    if (events.length > 0 || values.port !== undefined || values["allow-dirty"]) {
      throw new Error("--remove cannot be combined with other options: leave them out");
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
  throw new Error(`--port "${text}" is not a whole number: use only the digits 0 to 9`);
}
