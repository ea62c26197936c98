import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { refuseUnknownOption } from "@settle/proto-schemas/protos/extensions";
import type { Context } from "./context.ts";

/** The longest name in AMQP. */
const maxNameBytes = 255;
const serviceName = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** An event: its message, its publisher and its consumers. */
export type Event = {
  readonly message: DescMessage;
  readonly from: string;
  /** The consumers that the publisher waits for, and the others. */
  readonly to: readonly string[];
  readonly alsoTo: readonly string[];
};

/** Returns the events of `files`, sorted by name. Adds a complaint for each invalid route. */
export function readEvents(context: Context, files: readonly DescFile[]): readonly Event[] {
  const { extension } = context.base.events;
  const where = `${context.baseFile}: events.extension`;
  refuseUnknownOption(context.extensions.types, { name: extension, of: "message", where });
  return files
    .flatMap((file) => file.messages.flatMap(withNested))
    .flatMap((message) => readEvent(context, message) ?? [])
    .sort((a, b) => (a.message.typeName < b.message.typeName ? -1 : 1));
}

/** All consumers of the event. */
export function receiversOf({ to, alsoTo }: Event): readonly string[] {
  return [...to, ...alsoTo];
}

/** The exchange that `service` publishes to. */
export function exchangeOf(context: Context, service: string): string {
  return context.base.events.exchange.name.replaceAll("{service}", service);
}

/** The queue that `service` consumes from. */
export function queueOf(context: Context, service: string): string {
  return context.base.events.queue.name.replaceAll("{service}", service);
}

function readEvent(context: Context, message: DescMessage): Event | undefined {
  const { extension } = context.base.events;
  const route = context.extensions.read<{
    from?: string;
    to?: readonly string[];
    also_to?: readonly string[];
  }>(message, extension);
  if (route === undefined) return undefined;
  const { from = "", to = [], also_to: alsoTo = [] } = route;
  const event = { message, from, to, alsoTo };
  const receivers = receiversOf(event);
  const complain = (text: string) =>
    context.complaints.add(message, `${message.name}: ${extension} ${text}`);
  if (from === "") complain("does not set from, the service that sends the event");
  for (const service of from === "" ? receivers : [from, ...receivers]) {
    if (!serviceName.test(service)) {
      complain(`names "${service}"; a service name has letters, digits, - and _ only`);
    }
  }
  const twice = receivers.find((service, index) => receivers.indexOf(service) !== index);
  if (twice !== undefined) complain(`names ${twice} twice; remove one`);
  const names = [
    message.typeName,
    exchangeOf(context, from),
    ...receivers.map((s) => queueOf(context, s)),
  ];
  for (const name of names) {
    if (Buffer.byteLength(name) > maxNameBytes) {
      complain(
        `leads to the name ${name}, which is longer than the ${maxNameBytes} bytes that AMQP allows`,
      );
    }
  }
  return event;
}

function withNested(message: DescMessage): readonly DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}
