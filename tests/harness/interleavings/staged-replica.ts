import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { noFaults } from "@settle/chassis/base/faults";
import { newId } from "@settle/chassis/base/new-id";
import type { Broker, Delivery } from "@settle/chassis/broker/broker";
import { publicationsOf } from "@settle/chassis/contract/routes";
import { topologyOf } from "@settle/chassis/contract/topology";
import type { Database, Transaction } from "@settle/chassis/database/database";
import { createConsumer, type MessageHandler } from "@settle/chassis/events/consumer";
import { createHints } from "@settle/chassis/events/hints";
import { createOutbox } from "@settle/chassis/events/outbox";
import type { Foundations } from "@settle/chassis/service";
import { testClock, testLog } from "@settle/chassis/testing";
import { batchesOf } from "../system/batches.ts";
import type { Event } from "../system/queues.ts";
import type { ServiceName } from "../system/system.ts";

/** How a replica has settled its deliveries. */
export type Settled = {
  /** The events that it has put into a retry queue. */
  readonly comeAgain: readonly Event[];
  readonly dead: readonly Event[];
};

/** A replica of a service in this process, without a port; the test is its broker. */
export type StagedReplica<Rpc> = AsyncDisposable & {
  readonly foundations: Foundations;
  readonly rpc: Rpc;
  /** Delivers the events at once, and resolves once all are settled. */
  deliver(events: readonly Event[], redelivered: boolean): Promise<Settled>;
  /**
   * Holds the next transaction until `hold` resolves: after `afterStatements` statements, or before
   * its commit if it has fewer.
   */
  holdNext(hold: () => Promise<void>, afterStatements: number): void;
};

/**
 * Assembles the real parts of a service, as startService does. Its events stay in its outbox;
 * messages for retry and dead-letter queues are confirmed and passed to the test. Disposing does
 * not close the database.
 */
export function startStagedReplica<
  Schema extends DescMessage,
  Rpc extends AsyncDisposable,
>(options: {
  readonly service: ServiceName;
  readonly database: Database;
  readonly createRpc: (foundations: Foundations) => Rpc;
  readonly publishes: readonly DescMessage[];
  readonly schemas: readonly Schema[];
  readonly createHandler: (foundations: Foundations) => MessageHandler<Schema>;
  readonly userOf: (event: MessageShape<Schema>) => string;
  readonly usersTable: string;
}): StagedReplica<Rpc> {
  const { service, schemas, userOf, usersTable } = options;
  const { work, events: exchange, hints: hintsExchange, ...topology } = topologyOf(service);
  const surroundings = { clock: testClock, newId, log: testLog, faults: noFaults };
  let next: { readonly hold: () => Promise<void>; readonly afterStatements: number } | undefined;
  const database: Database = {
    ...options.database,
    transaction: (work) =>
      options.database.transaction(async (transaction) => {
        const held = next;
        next = undefined;
        if (!held) return work(transaction);
        let statements = 0;
        const query: Transaction["query"] = async (sql, parameters) => {
          const rows = await transaction.query(sql, parameters);
          statements += 1;
          if (statements === held.afterStatements) await held.hold();
          return rows as never;
        };
        const result = await work({ ...transaction, query });
        if (statements < held.afterStatements) await held.hold();
        return result;
      }),
  };

  const parts = new AsyncDisposableStack();
  const aside = { comeAgain: [] as Event[], dead: [] as Event[] };
  let receive: (delivery: Delivery) => void = () => {};
  const broker: Broker = {
    publisher: {
      ready: true,
      async publish({ exchange, messageId, type, body, headers = {} }) {
        const event = { messageId, type, body: Buffer.from(body), headers };
        if (exchange === topology.retry) aside.comeAgain.push(event);
        if (exchange === topology.deadLetter) aside.dead.push(event);
        return "confirmed";
      },
      onReady: () => () => {},
    },
    counts: { confirmed: 0, returned: 0, nacked: 0, unknown: 0, closedChannels: 0 },
    subscribe({ queue, onDelivery }) {
      if (queue === work) receive = onDelivery;
      return {
        consuming: true,
        pause: async () => {},
        resume: () => {},
        [Symbol.asyncDispose]: async () => {},
      };
    },
    countQueues: async () => [],
    [Symbol.asyncDispose]: async () => {},
  };
  const outbox = parts.use(
    createOutbox({
      ...surroundings,
      database,
      publisher: { ready: false, publish: async () => "unknown", onReady: () => () => {} },
      exchange,
      publications: publicationsOf(service, options.publishes),
      maxDepth: 10_000,
      batches: "on",
    }),
  );
  const hints = parts.use(createHints({ ...surroundings, broker, exchange: hintsExchange }));
  const foundations = { ...surroundings, database, outbox, hints };
  const rpc = parts.use(options.createRpc(foundations));
  const handle = options.createHandler(foundations);
  const users = { userOf, usersTable };
  parts.use(createConsumer({ ...foundations, ...users, service, schemas, handle, broker }));

  return {
    foundations,
    rpc,
    async deliver(events, redelivered) {
      // Redelivered ones come alone, and so often that each is also handled alone.
      const messages = redelivered ? events : batchesOf(events);
      await Promise.all(
        messages.map(
          (message) =>
            new Promise<void>((ack) =>
              receive({
                ...message,
                headers: { ...message.headers, ...(redelivered && { "x-delivery-count": 3 }) },
                redelivered,
                timestampMs: Date.now(),
                ack,
                requeue: ack,
              }),
            ),
        ),
      );
      return { comeAgain: aside.comeAgain.splice(0), dead: aside.dead.splice(0) };
    },
    holdNext(hold, afterStatements) {
      next = { hold, afterStatements };
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
