import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { Refusal } from "@settle/proto-schemas/complaints";
import type { Context } from "./context.ts";

/** AMQP has no longer names. */
const maxNameBytes = 255;
const serviceName = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** A message that is an event, and the services it travels between. */
export type Event = {
  readonly message: DescMessage;
  readonly from: string;
  /** Those that it waits for, and those that get it besides. */
  readonly to: readonly string[];
  readonly alsoTo: readonly string[];
};

/** Finds the events of `files`, in the order of their names; complains of routes that are none. */
export function readEvents(context: Context, files: readonly DescFile[]): readonly Event[] {
  const { extension } = context.base.events;
  const option = context.extensions.types.getExtension(extension);
  if (option?.extendee.typeName !== "google.protobuf.MessageOptions") {
    throw new Refusal(`${context.baseFile}: there is no message option ${extension}`);
  }
  return files
    .flatMap((file) => file.messages.flatMap(withNested))
    .flatMap((message) => readEvent(context, message) ?? [])
    .sort((a, b) => (a.message.typeName < b.message.typeName ? -1 : 1));
}

/** All services that get the event. */
export function receiversOf({ to, alsoTo }: Event): readonly string[] {
  return [...to, ...alsoTo];
}

/** The exchange to which `service` publishes. */
export function exchangeOf(context: Context, service: string): string {
  return context.base.events.exchange.name.replaceAll("{service}", service);
}

/** The queue by which `service` receives. */
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
  if (from === "") complain("does not say from whom it is");
  for (const service of from === "" ? receivers : [from, ...receivers]) {
    if (!serviceName.test(service)) complain(`names "${service}", which is no name of a service`);
  }
  const twice = receivers.find((service, index) => receivers.indexOf(service) !== index);
  if (twice !== undefined) complain(`names ${twice} twice`);
  const names = [
    message.typeName,
    exchangeOf(context, from),
    ...receivers.map((s) => queueOf(context, s)),
  ];
  for (const name of names) {
    if (Buffer.byteLength(name) > maxNameBytes) {
      complain(`needs the name ${name}, and AMQP has none above ${maxNameBytes} bytes`);
    }
  }
  return event;
}

function withNested(message: DescMessage): readonly DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}
