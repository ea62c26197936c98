import { setTimeout as pause } from "node:timers/promises";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { dueTimes } from "../../../bench/schedule.ts";
import type { User } from "./attack.ts";
import { createGoodCaller, type GoodCaller, type Protocol, protocols } from "./good-caller.ts";

const kinds = ["create", "get", "list", "balance"] as const;
/** An order that is not paid this long after its call was due counts as a failure. */
const paidWithinMs = 15_000;
/** Every so many calls, one uses a connection of its own, and another opens a watch on one. */
const newConnectionEvery = 13;
const newWatchEvery = 47;
const newWatchTimeoutMs = 5_000;
const reopenPauseMs = 200;
const checkEveryMs = 100;
const firstAddress = 10;

/** A good call, or the payment of a good order, that has ended. */
export type Sample = {
  readonly kind: string;
  readonly protocol: Protocol;
  /** When it was to begin, by `performance.now()`. */
  readonly dueMs: number;
  /** From then until its end. */
  readonly tookMs: number;
  /** Why it failed; undefined if it succeeded. */
  readonly failure: string | undefined;
};

/** An order that was answered. */
export type AnsweredOrder = {
  readonly id: string;
  readonly userId: string;
  readonly amountMinor: number;
};

/** Calls of good users at a fixed rate, until it is disposed. */
export type GoodTraffic = AsyncDisposable & {
  readonly calls: readonly Sample[];
  /** From the due time of CreateOrder until a watch of its user shows the order as paid. */
  readonly payments: readonly Sample[];
  readonly answered: readonly AnsweredOrder[];
  /** The due times of calls, and of payments, that have not ended. */
  waitingSince(): { readonly calls: readonly number[]; readonly payments: readonly number[] };
  /** Resolves when all calls that were due before `beforeMs` have ended, and their orders too. */
  ended(beforeMs: number): Promise<void>;
};

type Pending = { readonly protocol: Protocol; readonly dueMs: number };

/**
 * Starts the traffic: `perSecond` calls at due times that are fixed in advance, a quarter each of
 * CreateOrder, GetOrder, ListOrders and GetAccount, by REST, gRPC and Connect in turn. Each user
 * calls from an address of its own, from 127.0.0.10 on, over connections that stay open, and keeps
 * one watch open. Some calls and watches use new connections.
 */
export function startGoodTraffic(options: {
  readonly port: number;
  readonly users: readonly User[];
  readonly perSecond: number;
}): GoodTraffic {
  const { port, users, perSecond } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const calls: Sample[] = [];
  const payments: Sample[] = [];
  const answered: AnsweredOrder[] = [];
  const running = new Set<Pending>();
  const unpaid = new Map<string, Pending>();
  /** Orders that a watch showed as paid before their call was answered. */
  const paidEarly = new Map<string, number>();
  const failedOrders = new Set<string>();
  const lastOrder = new Map<string, string>();
  /** The newest revision that each user's watch has shown. */
  const newest = new Map<string, bigint>();
  const kept = new Map<string, GoodCaller>();

  const addressOf = (user: User) => `127.0.0.${firstAddress + users.indexOf(user)}`;
  const callerOf = (user: User, protocol: Protocol) => {
    const key = `${user.userId} ${protocol}`;
    const caller = kept.get(key) ?? createGoodCaller(protocol, { port, address: addressOf(user) });
    kept.set(key, caller);
    return caller;
  };
  const record = (to: Sample[], kind: string, { protocol, dueMs }: Pending, failure?: string) =>
    to.push({ kind, protocol, dueMs, tookMs: performance.now() - dueMs, failure });

  const timed = async (kind: string, pending: Pending, work: () => Promise<void>) => {
    running.add(pending);
    try {
      await work();
      record(calls, kind, pending);
    } catch (error) {
      if (!signal.aborted) record(calls, kind, pending, describe(error));
    } finally {
      running.delete(pending);
    }
  };
  const noteOrder = (id: string, user: User, amountMinor: number, pending: Pending) => {
    answered.push({ id, userId: user.userId, amountMinor });
    lastOrder.set(user.userId, id);
    const paidMs = paidEarly.get(id);
    if (paidMs === undefined) unpaid.set(id, pending);
    else {
      paidEarly.delete(id);
      payments.push({ ...samplePaid(pending), tookMs: paidMs - pending.dueMs });
    }
  };
  const notePaid = (id: string) => {
    const pending = unpaid.get(id);
    if (pending) record(payments, "paid", pending);
    else if (!failedOrders.has(id)) paidEarly.set(id, performance.now());
    unpaid.delete(id);
  };

  const callOnce = async (index: number, dueMs: number) => {
    const round = Math.floor(index / kinds.length);
    const kind = kinds[index % kinds.length] ?? "get";
    const user = users[round % users.length] as User;
    const turn = round + Math.floor(round / users.length);
    const protocol = protocols[turn % protocols.length] as Protocol;
    const pending = { protocol, dueMs };
    const isNew = index % newConnectionEvery === 0;
    const caller = isNew
      ? createGoodCaller(protocol, { port, address: addressOf(user) })
      : callerOf(user, protocol);
    await timed(isNew ? `${kind} on a new connection` : kind, pending, async () => {
      const orderId = lastOrder.get(user.userId);
      if (kind === "list") await caller.list(user);
      else if (kind === "balance") await caller.balance(user);
      else if (kind === "get" && orderId !== undefined) await caller.get(user, orderId);
      else {
        const amountMinor = 1 + (index % 3);
        noteOrder(await caller.create(user, amountMinor, "tickets"), user, amountMinor, pending);
      }
    });
    if (isNew) caller[Symbol.dispose]();
    if (index % newWatchEvery === 1) await openWatchOnce(user, { protocol, dueMs });
  };
  /** Opens a watch on a new connection and waits for its first message. */
  const openWatchOnce = async (user: User, pending: Pending) => {
    using caller = createGoodCaller(pending.protocol, { port, address: addressOf(user) });
    await timed("new watch", pending, async () => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(newWatchTimeoutMs)]);
      for await (const { event } of caller.watch(user, newest.get(user.userId) ?? 0n, limit)) {
        if (event.case === "end") throw new Error("the watch ended");
        return;
      }
      throw new Error("the watch ended");
    });
  };
  const keepWatching = async (user: User, protocol: Protocol) => {
    const caller = callerOf(user, protocol);
    while (!signal.aborted) {
      const openedMs = performance.now();
      let hasOpened = false;
      // A watch that breaks has failed at that moment, not since it was opened.
      const pending = () => ({ protocol, dueMs: hasOpened ? performance.now() : openedMs });
      try {
        for await (const answer of caller.watch(user, newest.get(user.userId) ?? 0n, signal)) {
          hasOpened = true;
          if (answer.revision > 0n) newest.set(user.userId, answer.revision);
          const { event } = answer;
          if (event.case === "order" && event.value.status === OrderStatus.PAID) {
            notePaid(event.value.id);
          }
          if (event.case === "end") break;
        }
        if (!signal.aborted) record(calls, "steady watch", pending(), "it ended");
      } catch (error) {
        if (!signal.aborted) record(calls, "steady watch", pending(), describe(error));
      }
      await pause(reopenPauseMs, undefined, { signal }).catch(() => {});
    }
  };
  const failLatePayments = () => {
    for (const [id, pending] of unpaid) {
      if (performance.now() - pending.dueMs < paidWithinMs) continue;
      record(payments, "paid", pending, `not paid within ${paidWithinMs / 1_000} s`);
      unpaid.delete(id);
      failedOrders.add(id);
    }
  };

  const send = async () => {
    const startMs = performance.now();
    let index = 0;
    for (const afterMs of dueTimes(perSecond, Number.POSITIVE_INFINITY)) {
      const dueMs = startMs + afterMs;
      for (let left = dueMs - performance.now(); left > 0; left = dueMs - performance.now()) {
        await pause(left, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
      }
      if (signal.aborted) return;
      void callOnce(index, dueMs);
      index += 1;
    }
  };
  const checks = setInterval(failLatePayments, checkEveryMs);
  const work = Promise.all([
    send(),
    ...users.map((user, at) => keepWatching(user, protocols[at % protocols.length] as Protocol)),
  ]);
  const waitingSince: GoodTraffic["waitingSince"] = () => ({
    calls: Array.from(running, ({ dueMs }) => dueMs),
    payments: Array.from(unpaid.values(), ({ dueMs }) => dueMs),
  });
  return {
    calls,
    payments,
    answered,
    waitingSince,
    async ended(beforeMs) {
      const isBefore = (dueMs: number) => dueMs < beforeMs;
      for (;;) {
        const waiting = waitingSince();
        if (!waiting.calls.some(isBefore) && !waiting.payments.some(isBefore)) return;
        await pause(checkEveryMs);
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      clearInterval(checks);
      await work;
      for (const caller of kept.values()) caller[Symbol.dispose]();
    },
  };
}

function samplePaid({ protocol, dueMs }: Pending) {
  return { kind: "paid", protocol, dueMs, failure: undefined };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
