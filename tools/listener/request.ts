import { parseArgs } from "node:util";
import { routeOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";

/** What `npm run listener` was asked for. */
export type ListenerRequest = {
  readonly name: string;
  readonly isRemoval: boolean;
  /** The type names of the events, by the service that publishes them; empty for a removal. */
  readonly listensTo: Readonly<Record<string, readonly string[]>>;
  readonly vhost: string;
};

const { messages: events } = file_events_v1_events;
const serviceNames = new Set(
  events.flatMap((event) => {
    const { from = "", to = [] } = routeOf(event) ?? {};
    return [from, ...to];
  }),
);

/** What `--help` prints. */
export const usage = `npm run --silent listener -- <name> <event> [<event> ...] [--help]

Lets a program of another team listen: makes a queue <name>.work with these events, one for its dead
letters, and a user <name> of RabbitMQ who may read the two and do nothing else; prints the URL by
which that user signs in. May be repeated, for more events or another password.

  npm run --silent listener -- payment-listener events.v1.PaymentResultEvent

  --remove   removes the listener <name> with its queues and all that waits in them
  --vhost    the virtual host (settle)
  --help     show this

Events:
${events.map(({ typeName }) => `  ${typeName}`).join("\n")}

Environment, also read from a file .env; without it, the broker of \`npm start\`:
  RABBITMQ_MANAGEMENT_URL   its management API, with an administrator's name and password
  AMQP_URL                  where listeners reach it
  LISTENER_PASSWORD         the user's password (a new random one each time)`;

/** Reads the arguments; undefined for a call for help. Throws one error that lists every fault. */
export function readListenerRequest(args: readonly string[]): ListenerRequest | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      remove: { type: "boolean" },
      vhost: { type: "string", default: "settle" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const [name = "", ...types] = positionals;
  const isRemoval = values.remove ?? false;
  const faults: string[] = [];
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    faults.push(`"${name}" is no name: small letters, digits and hyphens`);
  }
  if (serviceNames.has(name)) faults.push(`${name} is a service`);
  if (isRemoval ? types.length > 0 : types.length === 0) {
    faults.push(isRemoval ? "a removal needs no events" : "there is no event to listen to");
  }
  const listensTo: Record<string, readonly string[]> = {};
  for (const type of new Set(types)) {
    const event = events.find(({ typeName }) => typeName === type);
    const route = event && routeOf(event);
    if (route) listensTo[route.from] = [...(listensTo[route.from] ?? []), type];
    else faults.push(`there is no event ${type}`);
  }
  if (faults.length > 0) throw new Error(`${faults.join("\n")}\n--help explains`);
  return { name, isRemoval, listensTo, vhost: values.vhost };
}
