import { isDeepStrictEqual } from "node:util";
import { newId } from "@settle/chassis/base/new-id";
import type { Order } from "@settle/gen/orders/v1/order_pb";
import { announceAgain } from "@settle/orders/announce-again";
import { expireOrders } from "@settle/orders/expire-orders";
import { type Answer, type Caller, successOf } from "../calls/call.ts";
import { createHistory, createShopper } from "../checker/history.ts";
import type { Truth } from "../checker/truth.ts";
import { violationsOf } from "../checker/violations.ts";
import type { ServiceName } from "../system/system.ts";
import { createMislaidOrders } from "./mislaid-orders.ts";
import { createObserver } from "./observer.ts";
import type { ReplicaNumber, Stage } from "./stage.ts";
import { createStagedBroker } from "./staged-broker.ts";
import { chosen, type Step, type Turn } from "./turns.ts";

/** The result of a rehearsal. */
export type Result = Pick<Truth, "orders" | "payments"> & {
  readonly turns: number;
  /** The number of events, and of their deliveries. */
  readonly events: number;
  readonly deliveries: number;
  readonly tooEarly: number;
  /** The number of transactions that waited for another one that was held. */
  readonly waits: number;
};

/** A random run with some users of the system on a stage. */
export type Rehearsal = {
  /** Takes a turn. Throws on any violation, with the turns that led to it. */
  take(turn: Turn): Promise<void>;
  /**
   * Delivers the remaining events in the order of `choices`, and then all events once more. Throws
   * if the final state has violations.
   */
  finish(choices: readonly number[]): Promise<Result>;
};

type Call = {
  readonly name: string;
  readonly answer: Promise<Answer<unknown>>;
  repeatOn(replica: ReplicaNumber): Promise<Answer<unknown>>;
};

const services: readonly ServiceName[] = ["orders", "payments"];
const accounts = [
  { user: "rich", currency: "EUR", depositMinor: 200n },
  { user: "poor", currency: "EUR", depositMinor: 20n },
  { user: "abroad", currency: "USD", depositMinor: 200n },
];
const maxLastDeliveries = 500;
/** The number of last deliveries that a mislaid order misses. */
const mislaidDeliveries = 5;

/** Starts a rehearsal with its own users, of whom all but one have a funded account. */
export async function startRehearsal(stage: Stage, name: string): Promise<Rehearsal> {
  const userIds = [...accounts.map(({ user }) => user), "nobody"].map((user) => `${user}-${name}`);
  const history = createHistory();
  const orders: Order[] = [];
  /** Without refused calls: they store nothing, so that a repetition would be a new call. */
  const calls = new Set<Call>();
  const told: string[] = [];
  let turns = 0;
  let waits = 0;

  const tell = (line: string, answer?: Answer<unknown>) => {
    const end = answer && (answer.ok ? ": ok" : `: ${answer.reason || answer.message}`);
    told.push(line + (end ?? ""));
  };
  const assertWell = (violations: readonly string[]) => {
    if (violations.length === 0) return;
    throw new Error([...violations, "after", ...told].join("\n"));
  };
  const numberOf = (orderId: string) => orders.findIndex(({ id }) => id === orderId) + 1;
  const broker = createStagedBroker(stage, numberOf, tell);
  const mislaid = createMislaidOrders(stage.databases.orders, (id, what) =>
    tell(`order ${numberOf(id)} ${what}`),
  );
  const observer = createObserver({ ...stage, userIds, history, mislaid });

  const callerOn =
    (replica: ReplicaNumber, as?: string): Caller =>
    async (method, request) => {
      const { userId = "" } = request as { readonly userId?: string };
      const call = { userId: as ?? userId, key: newId() };
      const answer = stage.callerOn(replica, call)(method, request);
      const made: Call = {
        name: method.name,
        answer,
        repeatOn: (on) => stage.callerOn(on, call)(method, request),
      };
      calls.add(made);
      if (!(await answer).ok) calls.delete(made);
      return answer;
    };
  const repeat = async (nth: number, replica: ReplicaNumber) => {
    const call = chosen([...calls], nth);
    if (!call) return;
    const again = await call.repeatOn(replica);
    tell(`${call.name} comes again`, again);
    const isSame = isDeepStrictEqual(again, await call.answer);
    assertWell(isSame ? [] : [`${call.name}: was answered anew`]);
  };
  /** The work has started when this returns, so that two steps can share a batch. */
  const perform = async (step: Step, replica: ReplicaNumber): Promise<void> => {
    const shopper = createShopper(history, callerOn(replica), callerOn(replica, "admin"));
    const foundations = stage.ordersOn(replica);
    switch (step.does) {
      case "create": {
        const { amountMinor, currency, expires } = step;
        const userId = chosen(userIds, step.user) ?? "";
        const options = { currency, ...(expires && { expireAfterS: -1 }) };
        const answer = await shopper.createOrder(userId, amountMinor, options);
        if (answer.ok) orders.push(answer.message);
        return tell(`${userId} orders for ${amountMinor} ${currency}`, answer);
      }
      case "cancel": {
        const order = chosen(orders, step.order);
        if (!order) return;
        const answer = await shopper.cancelOrder(order);
        return tell(`order ${numberOf(order.id)} is cancelled`, answer);
      }
      case "refund": {
        const order = chosen(orders, step.order);
        if (!order) return;
        const all = order.amount?.minorUnits ?? 0n;
        const amountMinor = step.amountMinor === "all" ? all : step.amountMinor;
        const answer = await shopper.refund(order, amountMinor);
        return tell(`${amountMinor} of order ${numberOf(order.id)} is refunded`, answer);
      }
      case "deposit": {
        const userId = chosen(userIds, step.user) ?? "";
        const answer = await shopper.deposit(userId, step.amountMinor);
        return tell(`${userId} deposits ${step.amountMinor}`, answer);
      }
      case "open account": {
        const userId = chosen(userIds, step.user) ?? "";
        return tell(`${userId} opens an account`, await shopper.createAccount(userId));
      }
      case "expire": {
        tell("orders expire");
        await foundations.database.transaction((all) => expireOrders(all, foundations));
        return;
      }
      case "announce again": {
        tell("orders are announced again");
        const { database, outbox } = foundations;
        await database.transaction((all) => announceAgain(all, outbox, { afterMs: 0, newId }));
        return;
      }
      case "repeat":
        return repeat(step.call, replica);
      case "deliver":
        return broker.deliver(step.to, step.events, { ...step, replica });
    }
  };
  const take = async (turn: Turn): Promise<void> => {
    turns += 1;
    const replica = turns % 2 === 0 ? 0 : 1;
    if (turn.does === "mislay") {
      const order = chosen(orders, turn.order);
      if (order) await mislaid.mislay(order.id);
    } else if (turn.does === "lose") broker.lose(turn.to, turn.event, observer.isToldAgain);
    else if (turn.does === "together") {
      tell("together:");
      await Promise.all(turn.steps.map((step) => perform(step, replica)));
    } else if (turn.does === "overlap") {
      const { on, first, heldAfter, others } = turn;
      tell("two replicas meet:");
      const performOthers = async () => {
        for (const step of others) await perform(step, 1);
      };
      if (await stage.overlap(on, () => perform(first, 0), heldAfter, performOthers)) waits += 1;
    } else await perform(turn, replica);
    const violations = await Promise.all(
      services.map(async (service) => {
        const events = await broker.collect(service);
        return [...(await observer.look(service)), ...observer.compare(events)];
      }),
    );
    assertWell(violations.flat());
  };
  const deliverAll = async (choices: readonly number[]) => {
    const { queues } = broker;
    for (let nth = 0; nth < maxLastDeliveries; nth += 1) {
      const choice = choices[nth % choices.length] ?? 0;
      const waiting = services.filter((service) => queues[service].waiting.length > 0);
      const to = chosen(waiting, choice);
      if (nth === mislaidDeliveries || !to) await mislaid.findAgain();
      if (!to) break;
      const one = { nth: choice, among: "waiting" } as const;
      const events = Array.from({ length: 1 + (choice % 3) }, () => one);
      await take({ does: "deliver", to, events, redelivered: choice % 5 === 0 });
    }
  };
  /** Acts as if enough time had passed to announce again all orders that payments may not know. */
  const announceAll = async () => {
    const sql = "UPDATE orders SET announce_time = NULL WHERE user_id = ANY($1)";
    await stage.databases.orders.query(sql, [userIds]);
    await take({ does: "announce again" });
  };

  for (const { user, currency, depositMinor } of accounts) {
    const shopper = createShopper(history, callerOn(0));
    await successOf(shopper.createAccount(`${user}-${name}`, currency));
    await successOf(shopper.deposit(`${user}-${name}`, depositMinor, currency));
  }
  return {
    take,
    async finish(choices) {
      const { queues } = broker;
      await deliverAll(choices);
      // Lost events are published again; afterwards no service can have missed anything.
      await announceAll();
      await deliverAll(choices);
      await announceAll();
      const unheard = queues.payments.waiting.length;
      assertWell(unheard === 0 ? [] : [`${unheard} events are told again for ever`]);
      for (const to of services) {
        const again = { among: "delivered" } as const;
        const events = queues[to].delivered.map((_, nth) => ({ nth, ...again }));
        await take({ does: "deliver", to, events, redelivered: false });
      }
      const inbox = {
        orders: await broker.handledBy("orders"),
        payments: await broker.handledBy("payments"),
      };
      const truth: Truth = {
        ...observer.stored,
        outbox: [],
        inbox,
        waiting: new Map(services.map((service) => [service, queues[service].waiting.length])),
        deadLetters: broker.deadLetters,
      };
      const { againIds, lostIds: lostEvents } = broker;
      assertWell(violationsOf(truth, { ...history, injectedEvents: [...againIds], lostEvents }));
      return {
        ...truth,
        turns,
        waits,
        events: inbox.orders.length + inbox.payments.length,
        deliveries: services.reduce((sum, service) => sum + queues[service].delivered.length, 0),
        tooEarly: broker.tooEarly,
      };
    },
  };
}
