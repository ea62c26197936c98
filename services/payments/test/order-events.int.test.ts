import assert from "node:assert/strict";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import {
  againOf,
  balanceOf,
  cancellationOf,
  faultsInBooks,
  type OrderMessage,
  orderOf,
  type PaymentsSetup,
  publishedAbout,
  setupPayments,
} from "./payments-setup.ts";

const { PAID, DECLINED } = PaymentOutcome;

describe("payments' handling of order events", () => {
  let setup: PaymentsSetup;
  before(async () => {
    setup = await setupPayments();
  });
  after(() => setup?.[Symbol.asyncDispose]());
  afterEach(async () => assert.deepEqual(await faultsInBooks(setup), []));

  const fund = async (userId: string, balanceMinor: bigint) => {
    await setup.create([userId]);
    await setup.deposit([userId], balanceMinor);
  };
  const paymentsOf = async (messages: readonly OrderMessage[]) => {
    const rows = await setup.database.query<{
      order_id: string;
      outcome: PaymentOutcome;
      decline_reason: DeclineReason;
    }>("SELECT order_id, outcome, decline_reason FROM payments WHERE order_id = ANY($1::uuid[])", [
      messages.map(({ event }) => event.orderId),
    ]);
    const byId = new Map(rows.map((row) => [row.order_id, row]));
    return messages.map(({ event }) => byId.get(event.orderId));
  };
  const outcomesOf = async (messages: readonly OrderMessage[]) =>
    (await paymentsOf(messages)).map((payment) => payment?.outcome);

  it("does not let a refused order count against the next one in its batch", async () => {
    await fund("refused-between", 250n);
    const messages = [100n, 200n, 100n].map((amount) => orderOf("refused-between", amount));
    await setup.handle(messages);
    assert.deepEqual(await outcomesOf(messages), [PAID, DECLINED, PAID]);
    assert.equal(await balanceOf(setup, "refused-between"), 50n);
  });

  it("declines for each reason", async () => {
    await fund("refused", 10n);
    const messages = [
      orderOf("refused", 11n),
      orderOf("refused", 1n, "JPY"),
      orderOf("without-account", 1n),
    ];
    await setup.handle(messages);
    const reasons = (await paymentsOf(messages)).map((payment) => payment?.decline_reason);
    const { INSUFFICIENT_FUNDS, CURRENCY_MISMATCH, ACCOUNT_NOT_FOUND } = DeclineReason;
    assert.deepEqual(reasons, [INSUFFICIENT_FUNDS, CURRENCY_MISMATCH, ACCOUNT_NOT_FOUND]);
    assert.equal(await balanceOf(setup, "refused"), 10n);
  });

  it("pays an order once, even if its event arrives twice in a batch and again later", async () => {
    await fund("told-twice", 100n);
    const first = orderOf("told-twice", 60n);
    await setup.handle([first, againOf(first)]);
    await setup.handle([againOf(first)]);
    assert.deepEqual(await outcomesOf([first]), [PAID]);
    assert.equal(await balanceOf(setup, "told-twice"), 40n);
    assert.deepEqual(await publishedAbout(setup, first), Array(3).fill("result PAID"));
  });

  it("takes as many statements for a hundred orders as for one", async () => {
    const userIds = Array.from({ length: 100 }, (_, nth) => `user-${nth}`);
    await setup.create(userIds);
    await setup.deposit(userIds, 1_000n);
    for (const size of [1, 10, 100]) {
      const messages = userIds.slice(0, size).map((userId) => orderOf(userId, 1n));
      const before = setup.database.statements.length;
      await setup.handle(messages);
      assert.deepEqual(setup.database.statements.slice(before), [6], `${size} orders`);
      assert.deepEqual(await outcomesOf(messages), Array(size).fill(PAID));
    }
  });

  it("takes as many statements for a hundred cancellations as for one", async () => {
    const userIds = Array.from({ length: 100 }, (_, nth) => `cancelling-${nth}`);
    await setup.create(userIds);
    await setup.deposit(userIds, 1_000n);
    for (const size of [1, 10, 100]) {
      const orders = () => userIds.slice(0, size).map((userId) => orderOf(userId, 1n));
      const [unheard, paid, alsoPaid, next] = [orders(), orders(), orders(), orders()];
      await setup.handle([...paid, ...alsoPaid]);
      const before = setup.database.statements.length;
      // Message ids, accounts and payments, then: payments; refunds and the ledger; all of these.
      // Then the outbox.
      await setup.handle(unheard.map(cancellationOf));
      await setup.handle(paid.map(cancellationOf));
      await setup.handle([...next, ...alsoPaid.map(cancellationOf), ...next.map(cancellationOf)]);
      assert.deepEqual(setup.database.statements.slice(before), [5, 6, 7], `${size} orders`);
    }
  });

  it("takes as many statements for a hundred accounts or deposits as for one", async () => {
    for (const size of [1, 10, 100]) {
      const userIds = Array.from({ length: size }, (_, nth) => `${size}-user-${nth}`);
      const before = setup.database.statements.length;
      await setup.create(userIds);
      await setup.deposit(userIds, 1n);
      assert.deepEqual(setup.database.statements.slice(before), [3, 4], `${size} users`);
    }
  });
});
