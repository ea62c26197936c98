import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { noFaults } from "@settle/chassis/base/faults";
import { newId } from "@settle/chassis/base/new-id";
import { claimMessages } from "@settle/chassis/events/inbox";
import { countStatements, testClock, testLog } from "@settle/chassis/testing";
import { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import type { Order } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { Client, escapeIdentifier } from "pg";
import { createOrdersDatabase } from "../src/database.ts";
import { expireOrders } from "../src/expire-orders.ts";
import { createOrdersRpc } from "../src/orders-rpc.ts";
import { settleOrders } from "../src/payment-events.ts";
import { contextOf, messageOf, setupOrders } from "./orders-setup.ts";

/** How many transactions are run; set the variable for a longer run. */
const transactions = Number(process.env.DEADLOCK_TRANSACTIONS ?? 200);
const userCount = 24;
const callsAtOnce = 12;

describe("transactions that write orders", function () {
  this.timeout(60_000 + transactions * 100);

  it(`do not deadlock: ${transactions} of two replicas over the same users`, async () => {
    await using setup = await setupOrders();
    const name = new URL(setup.url).pathname.slice(1);
    const admin = new Client({ connectionString: process.env.TEST_POSTGRES_URL });
    await admin.connect();
    // A deadlock is looked for long before a wait for a lock ends for its timeout.
    await admin.query(`ALTER DATABASE ${escapeIdentifier(name)} SET deadlock_timeout = '5ms'`);
    const { outbox, hints } = setup;
    const means = { outbox, hints, clock: testClock, log: testLog, newId };
    const handle = settleOrders({ ...means, log: testLog });
    const open: Order[] = [];
    let ended = 0;

    const random = (below: number) => Math.floor(Math.random() * below);
    const someUser = () => `user-${random(userCount)}`;
    const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);
    const { method } = OrdersService;
    const startReplica = () => {
      const limits = { lockTimeoutMs: 2_000 };
      const options = { url: setup.url, clock: testClock, log: testLog, faults: noFaults };
      const database = countStatements(createOrdersDatabase({ ...options, limits }));
      const rpc = createOrdersRpc({ ...means, database });
      const { createOrder, cancelOrder } = rpc.implementation;
      const creating = async () => {
        const calls = times(callsAtOnce, async () => {
          const userId = someUser();
          const amount = { minorUnits: 1n, currency: "EUR" };
          const request = create(method.createOrder.input, { userId, amount });
          const calling = contextOf(method.createOrder, userId);
          open.push((await createOrder(request, calling)) as Order);
        });
        await Promise.all(calls);
      };
      const taken = () => open.splice(random(open.length), 1);
      const cancelling = async () => {
        const calls = times(callsAtOnce, taken).flatMap((orders) =>
          orders.map(({ userId, id: orderId }) =>
            cancelOrder(
              create(method.cancelOrder.input, { userId, orderId }),
              contextOf(method.cancelOrder, userId),
            ),
          ),
        );
        // Some have been settled, or have expired.
        await Promise.allSettled(calls);
      };
      const settling = async () => {
        const messages = times(callsAtOnce, taken).flatMap((orders) =>
          orders.map(({ id: orderId, userId }) =>
            messageOf(PaymentResultEventSchema, { orderId, userId, outcome: PaymentOutcome.PAID }),
          ),
        );
        await database.transaction(async (transaction) => {
          await claimMessages(
            transaction,
            messages.map(({ id }) => id),
          );
          await handle(transaction, messages);
        });
      };
      const expiring = async () => {
        await database.query(`UPDATE orders SET expire_time = now() WHERE id = ANY($1::uuid[])`, [
          times(callsAtOnce, taken).flatMap((orders) => orders.map(({ id }) => id)),
        ]);
        await database.transaction((transaction) => expireOrders(transaction, means));
      };
      const repeat = async (write: () => Promise<void>) => {
        while (database.statements.length < transactions / 2) {
          await write();
          await new Promise(setImmediate);
        }
      };
      const done = [creating, creating, cancelling, settling, settling, expiring].map(repeat);
      return {
        done: Promise.all(done),
        async end() {
          await rpc[Symbol.asyncDispose]();
          ended += database.statements.length;
          await database[Symbol.asyncDispose]();
        },
      };
    };

    const replicas = [startReplica(), startReplica()];
    await Promise.all(replicas.map(({ done }) => done));
    // A connection that ends reports its statistics.
    for (const replica of replicas) await replica.end();
    const { rows } = await admin.query<{ deadlocks: string }>(
      "SELECT deadlocks FROM pg_stat_database WHERE datname = $1",
      [name],
    );
    await admin.end();
    assert.ok(ended >= transactions);
    assert.deepEqual(rows, [{ deadlocks: "0" }]);
  });
});
