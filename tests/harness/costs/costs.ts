import { create, type DescMessage } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { noFaults } from "@settle/chassis/base/faults";
import { newId } from "@settle/chassis/base/new-id";
import { createBroker, type Publisher } from "@settle/chassis/broker/broker";
import { publicationsOf } from "@settle/chassis/contract/routes";
import { topologyOf } from "@settle/chassis/contract/topology";
import type { Transaction } from "@settle/chassis/database/database";
import { claimMessages, maintainInbox } from "@settle/chassis/events/inbox";
import { createOutbox } from "@settle/chassis/events/outbox";
import {
  countStatements,
  createTestBroker,
  createTestDatabase,
  eventually,
  testClock,
  testLog,
} from "@settle/chassis/testing";
import { OrderCreatedEventSchema, PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { createOrders } from "../../../services/orders/src/create-orders.ts";
import { createOrdersDatabase } from "../../../services/orders/src/database.ts";
import { settleOrders } from "../../../services/orders/src/payment-events.ts";
import { createPaymentsDatabase } from "../../../services/payments/src/database.ts";
import { bookDeposits, createAccounts } from "../../../services/payments/src/fund-accounts.ts";
import { handleOrderEvents } from "../../../services/payments/src/order-events.ts";
import { readStatistics, type Statistics } from "./statistics.ts";

const options = { clock: testClock, log: testLog, faults: noFaults };

/** What an order costs from its creation until it is paid, in batches of a fixed size. */
export type Costs = {
  /** The statements of the transactions that create, pay and settle a batch, without BEGIN and COMMIT. */
  readonly statements: readonly number[];
  /** The following are per order. */
  readonly inserted: number;
  readonly updated: number;
  /** Those of the updates that need no new index entries. */
  readonly updatedHot: number;
  readonly deleted: number;
  /** Messages with events, without the acknowledgements and hints. */
  readonly messages: number;
  readonly messageBytes: number;
  /** In the whole server, like the next two: exact only if nothing else uses it. */
  readonly walBytes: number;
  readonly walRecords: number;
  readonly buffers: number;
};

/**
 * A database of each service and a broker, on which the batches of the services run as they do when
 * all calls and messages of a batch arrive at the same time. Each of the `users` has an account.
 */
export async function setupCosts(users: number) {
  await using setup = new AsyncDisposableStack();
  const urls = {
    orders: setup.use(await createTestDatabase("orders")).url,
    payments: setup.use(await createTestDatabase("payments")).url,
  };
  const { adminUrl } = setup.use(
    await createTestBroker({
      orders: { payments: [PaymentResultEventSchema.typeName] },
      payments: { orders: [OrderCreatedEventSchema.typeName] },
    }),
  );
  const { publisher } = setup.use(createBroker({ url: adminUrl, name: "costs", log: testLog }));
  await eventually("the broker is ready", () => publisher.ready || undefined);
  const userIds = Array.from({ length: users }, (_, nth) => `user-${nth}`);
  await openAccounts(urls.payments, userIds);
  const running = setup.move();
  return {
    /** Runs `rounds` batches of `size` orders, each of another user, and returns their costs. */
    async measure(size: number, rounds: number): Promise<Costs> {
      const run = () => runRounds({ urls, publisher, userIds: userIds.slice(0, size), rounds });
      // The first run fills pages and caches. A connection that has ended has reported all it did.
      await run();
      const before = await readStatistics(urls);
      const { statements, messages, messageBytes } = await run();
      const after = await readStatistics(urls);
      const count = size * rounds;
      const perOrder = (key: keyof Statistics) => (after[key] - before[key]) / count;
      return {
        statements,
        inserted: perOrder("inserted"),
        updated: perOrder("updated"),
        updatedHot: perOrder("updatedHot"),
        deleted: perOrder("deleted"),
        messages: messages / count,
        messageBytes: messageBytes / count,
        walBytes: perOrder("walBytes"),
        walRecords: perOrder("walRecords"),
        buffers: perOrder("buffers"),
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type Urls = { readonly orders: string; readonly payments: string };

function callOf(userId: string, method: string) {
  return { key: newId(), userId, method, requestHash: new Uint8Array(32) };
}

async function openAccounts(url: string, userIds: readonly string[]): Promise<void> {
  await using database = createPaymentsDatabase({ url, ...options });
  await database.migrate();
  const createTime = new Date();
  await database.transaction(async (transaction) => {
    const accounts = userIds.map((userId) => ({ userId, currency: "EUR", createTime }));
    await createAccounts(
      transaction,
      accounts.map((account) => ({ ...account, call: callOf(account.userId, "CreateAccount") })),
    );
  });
  await database.transaction(async (transaction) => {
    const deposits = userIds.map((userId) => ({
      call: callOf(userId, "Deposit"),
      userId,
      movementId: newId(),
      amountMinor: 1_000_000n,
      currency: "EUR",
    }));
    await bookDeposits(transaction, deposits, createTime);
  });
}

/** Pays one order of each user per round, and resolves when all events are published and removed. */
async function runRounds(given: {
  readonly urls: Urls;
  readonly publisher: Publisher;
  readonly userIds: readonly string[];
  readonly rounds: number;
}) {
  const { urls, publisher, userIds, rounds } = given;
  await using open = new AsyncDisposableStack();
  const orders = countStatements(open.use(createOrdersDatabase({ url: urls.orders, ...options })));
  const payments = countStatements(
    open.use(createPaymentsDatabase({ url: urls.payments, ...options })),
  );
  const sent = { messages: 0, messageBytes: 0 };
  const counting: Publisher = {
    ready: true,
    publish(message) {
      sent.messages += 1;
      sent.messageBytes += message.body.length;
      return publisher.publish(message);
    },
    onReady: publisher.onReady,
  };
  const outboxOf = (service: "orders" | "payments", event: DescMessage) =>
    open.use(
      createOutbox({
        ...options,
        database: { orders, payments }[service],
        publisher: counting,
        exchange: topologyOf(service).events,
        publications: publicationsOf(service, [event]),
        maxDepth: 100_000,
        batches: "on",
        newId,
      }),
    );
  for (const database of [orders, payments]) {
    await database.migrate();
    await maintainInbox(database, testClock);
  }
  const prepared = { orders: orders.statements.length, payments: payments.statements.length };
  const hints = { tell() {} };
  const placing = { outbox: outboxOf("orders", OrderCreatedEventSchema), hints };
  const outbox = outboxOf("payments", PaymentResultEventSchema);
  const pay = handleOrderEvents({ outbox, clock: testClock, newId });
  const settle = settleOrders({ hints, clock: testClock, log: testLog });
  const received = <Event>(event: Event) => ({ id: newId(), receiveTimeMs: Date.now(), event });
  const claim = (transaction: Transaction, messages: readonly { readonly id: string }[]) =>
    claimMessages(
      transaction,
      messages.map(({ id }) => id),
    );

  for (let round = 0; round < rounds; round += 1) {
    const creations = userIds.map((userId) => ({
      call: callOf(userId, "CreateOrder"),
      userId,
      withinQuota: true,
      orderId: newId(),
      eventId: newId(),
      amountMinor: 1n,
      currency: "EUR",
      description: "two tickets",
      createTime: new Date(),
      expireTime: null,
    }));
    await orders.transaction((transaction) => createOrders(transaction, placing, creations));
    const amount = { minorUnits: 1n, currency: "EUR" };
    const created = creations.map(({ orderId, userId }) =>
      received(
        create(OrderCreatedEventSchema, { orderId, userId, amount, createTime: timestampNow() }),
      ),
    );
    await payments.transaction(async (transaction) => {
      await claim(transaction, created);
      await pay(transaction, created);
    });
    const outcome = PaymentOutcome.PAID;
    const decideTime = timestampNow();
    const decided = creations.map(({ orderId, userId }) =>
      received(create(PaymentResultEventSchema, { orderId, userId, outcome, amount, decideTime })),
    );
    await orders.transaction(async (transaction) => {
      await claim(transaction, decided);
      await settle(transaction, decided);
    });
  }
  const [creating = 0, settling = 0] = orders.statements.slice(prepared.orders);
  const [paying = 0] = payments.statements.slice(prepared.payments);
  for (const database of [orders, payments]) {
    await eventually("all events are published", async () => {
      const waiting = await database.query("SELECT 1 FROM outbox LIMIT 1", []);
      return waiting.length === 0 || undefined;
    });
  }
  return { statements: [creating, paying, settling], ...sent };
}
