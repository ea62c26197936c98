import assert from "node:assert/strict";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { type OrderMessage, orderOf, setupPayments } from "./payments-setup.ts";

const { PAID, DECLINED } = PaymentOutcome;

describe("payments' handling of order events", () => {
  let setup: Awaited<ReturnType<typeof setupPayments>>;
  before(async () => {
    setup = await setupPayments();
  });
  after(() => setup[Symbol.asyncDispose]());

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
  const balanceOf = async (userId: string) => {
    const [row] = await setup.database.query<{ balance_minor: string }>(
      "SELECT balance_minor FROM accounts WHERE user_id = $1",
      [userId],
    );
    return row?.balance_minor;
  };

  it("does not let a refused order count against the next one in its batch", async () => {
    await fund("refused-between", 250n);
    const messages = [100n, 200n, 100n].map((amount) => orderOf("refused-between", amount));
    await setup.pay(messages);
    assert.deepEqual(await outcomesOf(messages), [PAID, DECLINED, PAID]);
    assert.equal(await balanceOf("refused-between"), "50");
  });

  it("decides each reason to decline", async () => {
    await fund("refused", 10n);
    const messages = [
      orderOf("refused", 11n),
      orderOf("refused", 1n, "JPY"),
      orderOf("without-account", 1n),
    ];
    await setup.pay(messages);
    const reasons = (await paymentsOf(messages)).map((payment) => payment?.decline_reason);
    const { INSUFFICIENT_FUNDS, CURRENCY_MISMATCH, ACCOUNT_NOT_FOUND } = DeclineReason;
    assert.deepEqual(reasons, [INSUFFICIENT_FUNDS, CURRENCY_MISMATCH, ACCOUNT_NOT_FOUND]);
    assert.equal(await balanceOf("refused"), "10");
  });

  it("pays one order once, told twice in a batch and once more later", async () => {
    await fund("told-twice", 100n);
    const first = orderOf("told-twice", 60n);
    const again = { ...orderOf("told-twice", 60n), event: first.event };
    const later = { ...orderOf("told-twice", 60n), event: first.event };
    await setup.pay([first, again]);
    await setup.pay([later]);
    assert.deepEqual(await outcomesOf([first]), [PAID]);
    assert.equal(await balanceOf("told-twice"), "40");
  });

  it("takes as many statements for a hundred orders as for one", async () => {
    const userIds = Array.from({ length: 100 }, (_, nth) => `user-${nth}`);
    await setup.create(userIds);
    await setup.deposit(userIds, 1_000n);
    for (const size of [1, 10, 100]) {
      const messages = userIds.slice(0, size).map((userId) => orderOf(userId, 1n));
      const before = setup.database.statements.length;
      await setup.pay(messages);
      assert.deepEqual(setup.database.statements.slice(before), [6], `${size} orders`);
      assert.deepEqual(await outcomesOf(messages), Array(size).fill(PAID));
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
