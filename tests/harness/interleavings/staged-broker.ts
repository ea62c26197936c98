import { PaymentOutcomeSchema } from "@settle/gen/payments/v1/payment_pb";
import { type Event, readEvent } from "../system/queues.ts";
import type { ServiceName } from "../system/system.ts";
import type { ReplicaNumber, Stage } from "./stage.ts";
import { type Choice, chosen } from "./turns.ts";

/** The broker between the services of a stage, which delivers only what the test chooses. */
export type StagedBroker = {
  readonly queues: Readonly<Record<ServiceName, Queue>>;
  /** The bodies, in hexadecimal. */
  readonly deadLetters: readonly string[];
  /** The ids of the events by which orders has told the same of an order again, unless lost. */
  readonly againIds: readonly string[];
  /** The ids of the others that are lost. */
  readonly lostIds: Readonly<Record<ServiceName, string[]>>;
  /** How many deliveries came too early. */
  readonly tooEarly: number;
  /** Takes over, and returns, what a service has to announce. */
  collect(from: ServiceName): Promise<readonly Event[]>;
  /** The ids of what the service has handled of that which was delivered to it. */
  handledBy(service: ServiceName): Promise<readonly string[]>;
  /** Loses the chosen event that waits, as a broker's disk may, unless it is none that `mayLose`. */
  lose(to: ServiceName, nth: number, mayLose: (event: Event) => boolean): void;
  /** Hands over the chosen events, all in one go, and keeps those that are to come again. */
  deliver(
    to: ServiceName,
    choices: readonly Choice[],
    how: { readonly replica: ReplicaNumber; readonly redelivered: boolean },
  ): Promise<void>;
};

/** What waits for a service, and all that has been delivered to it, as often as it was. */
type Queue = { readonly waiting: readonly Event[]; readonly delivered: readonly Event[] };

/**
 * Creates a broker for the events of some orders: those that `numberOf` gives a number above 0, by
 * which `tell` is told of what is delivered.
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
      // One that came too early before waits here again, and could be delivered again all the same.
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
