import { PaymentOutcomeSchema } from "@settle/gen/payments/v1/payment_pb";
import { type Event, readEvent } from "../system/queues.ts";
import type { ServiceName } from "../system/system.ts";
import type { ReplicaNumber, Stage } from "./stage.ts";
import { type Choice, chosen } from "./turns.ts";

/**
 * The broker between the services of a stage, which delivers only the events that the test chooses.
 */
export type StagedBroker = {
  readonly queues: Readonly<Record<ServiceName, Queue>>;
  /** The bodies, in hexadecimal. */
  readonly deadLetters: readonly string[];
  /** The ids of the events with which orders has announced an order again, except lost ones. */
  readonly againIds: readonly string[];
  /** The ids of the other lost events. */
  readonly lostIds: Readonly<Record<ServiceName, string[]>>;
  /** The number of deliveries that came too early. */
  readonly tooEarly: number;
  /** Takes and returns the events of a service's outbox. */
  collect(from: ServiceName): Promise<readonly Event[]>;
  /** Returns the ids of the delivered events that the service has handled. */
  handledBy(service: ServiceName): Promise<readonly string[]>;
  /** Loses the chosen waiting event, as a failed broker disk would, if `mayLose` allows it. */
  lose(to: ServiceName, nth: number, mayLose: (event: Event) => boolean): void;
  /** Delivers the chosen events at once, and keeps those that must be redelivered. */
  deliver(
    to: ServiceName,
    choices: readonly Choice[],
    how: { readonly replica: ReplicaNumber; readonly redelivered: boolean },
  ): Promise<void>;
};

/** The waiting events of a service, and all deliveries to it, including repeated ones. */
type Queue = { readonly waiting: readonly Event[]; readonly delivered: readonly Event[] };

/**
 * Creates a broker for the events of some orders: those with a number above 0 by `numberOf`. `tell`
 * is called with that number for each delivery.
 */
export function createStagedBroker(
  stage: Stage,
  numberOf: (orderId: string) => number,
  tell: (line: string) => void,
): StagedBroker {
  const queues = {
    orders: { waiting: [] as Event[], delivered: [] as Event[] },
    payments: { waiting: [] as Event[], delivered: [] as Event[] },
  };
  const deadLetters: string[] = [];
  const announced = new Set<string>();
  const againIds: string[] = [];
  const lostIds = { orders: [] as string[], payments: [] as string[] };
  let tooEarly = 0;
  let lastOrderId: string | undefined;

  const textOf = (event: Event) => {
    const { orderId, $typeName, ...news } = readEvent(event);
    const type = $typeName.split(".").at(-1);
    const outcome =
      "outcome" in news ? ` ${PaymentOutcomeSchema.value[news.outcome]?.localName}` : "";
    return `${type}${outcome} of order ${numberOf(orderId)}`;
  };
  return {
    queues,
    deadLetters,
    againIds,
    lostIds,
    get tooEarly() {
      return tooEarly;
    },
    async collect(from) {
      const { waiting } = from === "orders" ? queues.payments : queues.orders;
      const taken = await stage.takeEvents(from);
      const events = taken.filter((event) => numberOf(readEvent(event).orderId) > 0);
      for (const event of events) {
        const { orderId } = readEvent(event);
        const news = `${event.type} ${orderId}`;
        if (from === "orders" && announced.has(news)) againIds.push(event.messageId ?? "");
        announced.add(news);
        lastOrderId = orderId;
      }
      waiting.push(...events);
      return events;
    },
    async handledBy(service) {
      const { rows } = await stage.databases[service].query<{ id: string }>(
        "SELECT message_id AS id FROM inbox WHERE message_id = ANY($1::uuid[])",
        [queues[service].delivered.map(({ messageId }) => messageId)],
      );
      return rows.map(({ id }) => id);
    },
    lose(to, nth, mayLose) {
      const { waiting, delivered } = queues[to];
      const event = chosen(waiting, nth);
      // An event that came too early waits here again, and may also have been delivered again.
      const isKept = delivered.some(({ messageId }) => messageId === event?.messageId);
      if (!event || isKept || !mayLose(event)) return;
      waiting.splice(waiting.indexOf(event), 1);
      const id = event.messageId ?? "";
      const again = againIds.indexOf(id);
      if (again >= 0) againIds.splice(again, 1);
      else lostIds[to].push(id);
      tell(`${textOf(event)} is lost on its way to ${to}`);
    },
    async deliver(to, choices, how) {
      const { waiting, delivered } = queues[to];
      const events = choices.flatMap(({ nth, among }) => {
        if (among === "delivered") return chosen(delivered, nth) ?? [];
        const alike = waiting.findIndex((event) => readEvent(event).orderId === lastOrderId);
        const isAlike = among === "same order" && alike >= 0;
        const [event] = waiting.splice(isAlike ? alike : nth % waiting.length, 1);
        if (!event) return [];
        lastOrderId = readEvent(event).orderId;
        return event;
      });
      if (events.length === 0) return;
      delivered.push(...events);
      tell(`${to} gets ${events.map(textOf).join(", ")}`);
      const { comeAgain, dead } = await stage.deliver(to, events, how);
      waiting.push(...comeAgain);
      tooEarly += comeAgain.length;
      deadLetters.push(...dead.map(({ body }) => body.toString("hex")));
    },
  };
}
