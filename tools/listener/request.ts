import { parseArgs } from "node:util";
import { routeOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { serviceNames } from "../../services/services.ts";

/** The parsed arguments of `npm run listener`. */
export type ListenerRequest = {
  readonly name: string;
  readonly isRemoval: boolean;
  /** The type names of the events, by the service that publishes them; empty for a removal. */
  readonly listensTo: Readonly<Record<string, readonly string[]>>;
  readonly readsBatches: boolean;
  readonly vhost: string;
};

const { messages: events } = file_events_v1_events;

/** The text of `--help`. */
export const usage = `npm run --silent listener -- <name> <event> [<event> ...] [--help]

Lets a program of another team listen to events. Creates the queue <name>.work for these events, a
dead-letter queue, and a RabbitMQ user <name> that may only read these two queues. Prints the URL with
which that user connects. Run it again to add events or to change the password.

Events come alone or in batches (events.v1.EventBatch); decodeEvents of @settle/sdk reads both.

  npm run --silent listener -- payment-listener events.v1.PaymentResultEvent

  --alone    gets no batches; the services must then publish each event alone as well:
             EVENT_BATCHES=with-singles
  --remove   removes the listener <name>, its queues and all messages in them
  --vhost    the virtual host (default: settle)
  --help     shows this help

Events:
${events.map(({ typeName }) => `  ${typeName}`).join("\n")}

Environment variables, also read from the file .env (default: the broker of \`npm start\`):
  RABBITMQ_MANAGEMENT_URL   the management API, with the name and password of an administrator
  AMQP_URL                  the URL at which listeners reach the broker
  LISTENER_PASSWORD         the user's password (default: a new random password each time)`;

/** Reads the arguments; undefined for `--help`. Throws one error that lists every fault. */
export function readListenerRequest(args: readonly string[]): ListenerRequest | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      alone: { type: "boolean" },
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
    faults.push(`"${name}" is not a valid name: use lower-case letters, digits and hyphens`);
  }
  if (serviceNames.some((service) => service === name)) {
    faults.push(`${name} is the name of a service`);
  }
  if (isRemoval ? types.length > 0 : types.length === 0) {
    faults.push(isRemoval ? "--remove takes no events" : "name at least one event");
  }
  const listensTo: Record<string, readonly string[]> = {};
  for (const type of new Set(types)) {
    const event = events.find(({ typeName }) => typeName === type);
    const route = event && routeOf(event);
    if (route) listensTo[route.from] = [...(listensTo[route.from] ?? []), type];
    else faults.push(`there is no event ${type}`);
  }
  if (faults.length > 0) throw new Error(`${faults.join("\n")}\nSee --help`);
  return { name, isRemoval, listensTo, readsBatches: !values.alone, vhost: values.vhost };
}
