import assert from "node:assert/strict";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import fc from "fast-check";
import { successOf } from "../harness/calls/call.ts";
import { createGrpcCaller } from "../harness/calls/protocols.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type Shopper } from "../harness/checker/history.ts";
import { readTruth } from "../harness/checker/truth.ts";
import {
  depthOf,
  type Event,
  intercept,
  onBroker,
  publish,
  readEvent,
  startTap,
} from "../harness/system/queues.ts";
import { type System, startSystem } from "../harness/system/system.ts";

const raceCount = 1_000;
const racesPerRound = 20;
/** Fewer accounts than races, so that the races of a round share accounts. */
const usersPerRound = 5;
const leastWins = 100;
/** The minimum number of races between two transactions. */
const leastMet = 900;
const seed = 7;
const depositMinor = 1_000n;
const funded = Array.from({ length: 40 }, (_, nth) => `racer-${nth}`);
const unfunded = Array.from({ length: 10 }, (_, nth) => `racer-without-account-${nth}`);
const { work } = topologyOf("payments");

/** The two events of one order, in the order in which they are published. */
type Race = readonly [Event, Event];

describe("a cancellation that races with its order's payment", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  before(async () => {
    system = await startSystem();
  });
  after(() => system?.[Symbol.asyncDispose]());

  it(`wins or loses, ${raceCount} times over two replicas, and no money is lost`, async () => {
    const { orders, payments } = await system.startBoth();
    await system.start("payments");
    await onBroker(system.broker.adminUrl, (channel) =>
      eventually("both replicas take messages", async () =>
        (await depthOf(channel, work)).consumers === 2 ? true : undefined,
      ),
    );
    using grpc = createGrpcCaller(({ typeName }) =>
      typeName === OrdersService.typeName ? orders.url : payments.url,
    );
    const shopper = createShopper(history, grpc.call);
    await Promise.all(funded.map((userId) => shopper.fundedAccount(userId, depositMinor)));
    const races = await prepareRaces(shopper);
    await using tap = await startTap(system.broker.adminUrl, "payments");
    for (let nth = 0; nth < raceCount; nth += racesPerRound) {
      await runRound(races.slice(nth, nth + racesPerRound));
    }
    await assertWholeAfterwards(system, history);
    await assertDecided(races, tap.events);
  });

  /** Creates and cancels the orders before payments receives their events. */
  const prepareRaces = async (shopper: Shopper): Promise<readonly Race[]> => {
    const createAndCancel = async (_: unknown, nth: number) => {
      const round = Math.floor(nth / racesPerRound);
      // Every fifth round is without accounts, so that the lock on the payment's row decides.
      const users = round % 5 === 4 ? unfunded : funded;
      const userId = users[(round * usersPerRound + (nth % usersPerRound)) % users.length] ?? "";
      const order = await successOf(shopper.createOrder(userId, BigInt(1 + (nth % 9))));
      await successOf(shopper.cancelOrder(order));
      return order.id;
    };
    let ids: readonly string[] = [];
    const types = [OrderCreatedEventSchema.typeName, OrderCancelledEventSchema.typeName];
    const events = await intercept(
      system.broker.adminUrl,
      { from: "orders", to: "payments", types },
      async () => {
        ids = await Promise.all(Array.from({ length: raceCount }, createAndCancel));
        return 2 * raceCount;
      },
    );
    const byOrder = Map.groupBy(events, (event) => readEvent(event).orderId);
    const isReversed = fc.sample(fc.boolean(), { seed, numRuns: raceCount });
    return ids.map((id, nth) => {
      const [one, two] = byOrder.get(id) ?? [];
      assert.ok(one && two && one.type !== two.type, `order ${id} was not announced`);
      return isReversed[nth] ? [two, one] : [one, two];
    });
  };

  /** Holds both replicas after the decision and before the write, and then releases both. */
  const runRound = async (races: readonly Race[]) => {
    const { payments } = system.databases;
    // The broker delivers round-robin, so the two messages of an order go to different consumers.
    const events = races.flat();
    const barrier = await payments.connect();
    try {
      await barrier.query("BEGIN");
      // Payments can be read and locked but not written. A replica that shares accounts with the
      // other one waits for the account locks instead.
      await barrier.query("LOCK TABLE payments IN SHARE MODE");
      await publish(system.broker.adminUrl, work, events);
      await eventually("both replicas are held", async () => {
        // Each has one transaction at a time for its messages.
        const { rows } = await payments.query(
          `SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows.length === 2 ? true : undefined;
      });
    } finally {
      await barrier.query("COMMIT");
      barrier.release();
    }
    await eventually("the round is over", async () => {
      const { rows } = await payments.query(
        "SELECT FROM inbox WHERE message_id = ANY($1::uuid[])",
        [events.map(({ messageId }) => messageId)],
      );
      return rows.length === events.length ? true : undefined;
    });
  };

  const assertDecided = async (races: readonly Race[], told: readonly Event[]) => {
    const { orders, payments, accounts } = await readTruth(system);
    assert.equal(orders.length, raceCount);
    const paymentsOf = Map.groupBy(payments, ({ orderId }) => orderId);
    const wins = { paid: 0, declined: 0, cancelled: 0 };
    for (const order of orders) {
      const [payment, ...more] = paymentsOf.get(order.id) ?? [];
      assert.ok(payment && more.length === 0, `order ${order.id} has not one payment`);
      const isPaid = payment.outcome === PaymentOutcome.PAID;
      if (isPaid) wins.paid += 1;
      else if (payment.outcome === PaymentOutcome.DECLINED) wins.declined += 1;
      else wins.cancelled += 1;
      assert.equal(order.status, OrderStatus.CANCELLED);
      assert.equal(order.refundedMinor, isPaid ? order.amountMinor : 0n);
      assert.equal(payment.refundedMinor, order.refundedMinor);
    }
    for (const event of told.map(readEvent)) {
      const [payment] = paymentsOf.get(event.orderId) ?? [];
      if ("outcome" in event) assert.equal(event.outcome, payment?.outcome);
      if (event.$typeName === PaymentRefundedEventSchema.typeName) {
        assert.equal(event.refundedAmount?.minorUnits, payment?.amountMinor);
      }
    }
    assert.deepEqual(
      accounts.map(({ userId, balanceMinor }) => [userId, balanceMinor]),
      funded.toSorted().map((userId) => [userId, depositMinor]),
    );

    const { rows } = await system.databases.payments.query<{ id: string; transaction: string }>(
      "SELECT message_id AS id, xmin::text AS transaction FROM inbox",
    );
    const transactionOf = new Map(rows.map(({ id, transaction }) => [id, transaction]));
    const met = races.filter(
      ([one, two]) =>
        transactionOf.get(one.messageId ?? "") !== transactionOf.get(two.messageId ?? ""),
    ).length;
    const first = wins.paid + wins.declined;
    console.log(
      `      ${raceCount} races, ${met} of them between two transactions: ${first} times the order ` +
        `came first (${wins.paid} paid and refunded, ${wins.declined} declined), ` +
        `${wins.cancelled} times the cancellation; seed ${seed}`,
    );
    assert.ok(met >= leastMet);
    assert.ok(first >= leastWins);
    assert.ok(wins.cancelled >= leastWins);
  };
});
