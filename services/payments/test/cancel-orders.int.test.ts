import assert, { AssertionError } from "node:assert/strict";
import type { Database } from "@settle/chassis/database/database";
import { maxBalanceMinor } from "../src/account.entity.ts";
import {
  againOf,
  balanceOf,
  cancellationOf,
  faultsInBooks,
  orderOf,
  type PaymentsSetup,
  paymentOf,
  publishedAbout,
  setupPayments,
} from "./payments-setup.ts";
import { holding, untilBlocked } from "./races.ts";

/** What is published about an order of 60 that is paid and then cancelled. */
const refunded = ["result PAID", "refunded 60 EUR", "result PAID, 60 back"];

describe("payments' handling of cancellations", () => {
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

  it("that arrive first leave a tombstone, which answers the order when it arrives", async () => {
    await fund("early", 100n);
    const order = orderOf("early", 60n);
    await setup.handle([cancellationOf(order)]);
    assert.equal(await paymentOf(setup, order), "CANCELLED 60");
    assert.deepEqual(await publishedAbout(setup, order), ["result CANCELLED"]);
    await setup.handle([order]);
    await setup.handle([againOf(order)]);
    assert.deepEqual(await publishedAbout(setup, order), Array(3).fill("result CANCELLED"));
    assert.equal(await paymentOf(setup, order), "CANCELLED 60");
    assert.equal(await balanceOf(setup, "early"), 100n);
  });

  it("of a paid order refund all of it", async () => {
    await fund("paid", 100n);
    const order = orderOf("paid", 60n);
    await setup.handle([order]);
    await setup.handle([cancellationOf(order)]);
    assert.equal(await paymentOf(setup, order), "PAID 60, refunded 60");
    assert.deepEqual(await publishedAbout(setup, order), refunded);
    assert.equal(await balanceOf(setup, "paid"), 100n);
    // Repair: what was decided and what is back is told again, whichever event was lost.
    await setup.handle([againOf(order)]);
    await setup.handle([cancellationOf(order)]);
    const again = (await publishedAbout(setup, order)).slice(refunded.length);
    assert.deepEqual(again, Array(2).fill("result PAID, 60 back"));
    assert.equal(await balanceOf(setup, "paid"), 100n);
  });

  it("take effect in arrival order within a batch", async () => {
    await fund("batch", 100n);
    const first = orderOf("batch", 60n);
    const second = orderOf("batch", 70n);
    const third = orderOf("batch", 80n);
    await setup.handle([
      first,
      cancellationOf(second),
      cancellationOf(first),
      second,
      // The first one's money is back, and the second has taken none.
      third,
      againOf(first),
      cancellationOf(first),
    ]);
    assert.equal(await paymentOf(setup, first), "PAID 60, refunded 60");
    assert.equal(await paymentOf(setup, second), "CANCELLED 70");
    assert.equal(await paymentOf(setup, third), "PAID 80");
    assert.deepEqual(await publishedAbout(setup, first), [
      ...refunded,
      ...Array(2).fill("result PAID, 60 back"),
    ]);
    assert.deepEqual(await publishedAbout(setup, second), Array(2).fill("result CANCELLED"));
    assert.equal(await balanceOf(setup, "batch"), 20n);
  });

  it("that arrive twice, together or later, take effect once", async () => {
    await fund("twice", 100n);
    const [paid, unheard] = [orderOf("twice", 60n), orderOf("twice", 10n)];
    await setup.handle([paid]);
    await setup.handle([paid, paid, unheard, unheard].map(cancellationOf));
    await setup.handle([paid, unheard].map(cancellationOf));
    assert.equal(await paymentOf(setup, paid), "PAID 60, refunded 60");
    assert.equal(await paymentOf(setup, unheard), "CANCELLED 10");
    assert.deepEqual(await publishedAbout(setup, paid), [
      ...refunded,
      ...Array(2).fill("result PAID, 60 back"),
    ]);
    assert.deepEqual(await publishedAbout(setup, unheard), Array(3).fill("result CANCELLED"));
    assert.equal(await balanceOf(setup, "twice"), 100n);
  });

  it("of a declined order change nothing", async () => {
    await fund("declined", 10n);
    const order = orderOf("declined", 60n);
    await setup.handle([order]);
    await setup.handle([cancellationOf(order)]);
    assert.equal(await paymentOf(setup, order), "DECLINED 60");
    assert.deepEqual(await publishedAbout(setup, order), Array(2).fill("result DECLINED"));
    assert.equal(await balanceOf(setup, "declined"), 10n);
  });

  it("need no account, and hold when one is created afterwards", async () => {
    const order = orderOf("late-account", 60n);
    await setup.handle([cancellationOf(order)]);
    await fund("late-account", 100n);
    await setup.handle([order]);
    assert.deepEqual(await publishedAbout(setup, order), Array(2).fill("result CANCELLED"));
    assert.equal(await balanceOf(setup, "late-account"), 100n);
  });

  it("refund into an account at the balance limit, which deposits still respect", async () => {
    await fund("rich", maxBalanceMinor);
    const order = orderOf("rich", 100n);
    await setup.handle([order]);
    await setup.deposit(["rich"], 100n);
    await setup.handle([cancellationOf(order)]);
    assert.equal(await balanceOf(setup, "rich"), maxBalanceMinor + 100n);
    await setup.deposit(["rich"], 1n);
    assert.equal(await balanceOf(setup, "rich"), maxBalanceMinor + 100n);
    const negative = "UPDATE accounts SET balance_minor = -1 WHERE user_id = 'rich'";
    await assert.rejects(setup.database.query(negative, []), /accounts_balance_minor_check/);
  });

  it("that name another user than the payment are never applied", async () => {
    await fund("owner", 100n);
    await fund("stranger", 100n);
    const order = orderOf("owner", 60n);
    await setup.handle([order]);
    const { event, ...rest } = cancellationOf(order);
    const forged = { ...rest, event: { ...event, userId: "stranger" } };
    await assert.rejects(setup.handle([forged]), AssertionError);
    assert.equal(await paymentOf(setup, order), "PAID 60");
  });

  for (const hasAccount of [true, false]) {
    const account = hasAccount ? "with an account" : "without an account";

    it(`race with the order in another transaction, the order first, ${account}`, async () => {
      const userId = `order-first-${hasAccount}`;
      if (hasAccount) await fund(userId, 100n);
      const order = orderOf(userId, 60n);
      await using other = await holding((hold) => setup.handle([order], { hold }));
      const cancelled = setup.handle([cancellationOf(order)], { on: setup.openAgain() });
      await untilBlocked(setup);
      await other.release();
      await cancelled;
      const [payment, published] = hasAccount
        ? ["PAID 60, refunded 60", refunded]
        : ["DECLINED 60", Array(2).fill("result DECLINED")];
      assert.equal(await paymentOf(setup, order), payment);
      assert.deepEqual(await publishedAbout(setup, order), published);
      assert.equal(await balanceOf(setup, userId), hasAccount ? 100n : undefined);
    });

    it(`race with the order in another transaction, the cancellation first, ${account}`, async () => {
      const userId = `cancellation-first-${hasAccount}`;
      if (hasAccount) await fund(userId, 100n);
      const order = orderOf(userId, 60n);
      await using other = await holding((hold) => setup.handle([cancellationOf(order)], { hold }));
      const created = setup.handle([order], { on: setup.openAgain() });
      await untilBlocked(setup);
      await other.release();
      await created;
      assert.equal(await paymentOf(setup, order), "CANCELLED 60");
      assert.deepEqual(await publishedAbout(setup, order), Array(2).fill("result CANCELLED"));
      assert.equal(await balanceOf(setup, userId), hasAccount ? 100n : undefined);
    });
  }

  it("meet an account and a payment that were not there when accounts were locked", async () => {
    const order = orderOf("in-between", 60n);
    let missed = false;
    const replica = setup.openAgain();
    const on: Database = {
      ...replica,
      transaction: (work) =>
        replica.transaction((transaction) =>
          work({
            ...transaction,
            async query(sql, parameters) {
              if (!missed && sql.includes("FROM payments")) {
                missed = true;
                await fund("in-between", 100n);
                await setup.handle([order]);
              }
              return transaction.query(sql, parameters);
            },
          }),
        ),
    };
    await setup.handle([cancellationOf(order)], { on });
    assert.ok(missed);
    assert.equal(await paymentOf(setup, order), "PAID 60, refunded 60");
    assert.equal(await balanceOf(setup, "in-between"), 100n);
  });

  it("of many orders race with the orders over two replicas, and no money is lost", async () => {
    await fund("busy", 10_000n);
    const orders = Array.from({ length: 60 }, (_, nth) =>
      orderOf(nth % 2 === 0 ? "busy" : `busy-without-account-${nth % 5}`, 10n),
    );
    const [one, two] = [setup.openAgain(), setup.openAgain()];
    await Promise.all(
      Array.from({ length: 6 }, (_, nth) => orders.slice(nth * 10, nth * 10 + 10)).flatMap(
        (some) => [
          setup.handle(some, { on: one }),
          setup.handle(some.toReversed().map(cancellationOf), { on: two }),
        ],
      ),
    );
    for (const order of orders) {
      const [result, ...more] = await publishedAbout(setup, order);
      const isPaid = result === "result PAID";
      const answer = isPaid ? ["refunded 10 EUR", "result PAID, 10 back"] : [result];
      assert.deepEqual(more, answer);
    }
    assert.equal(await balanceOf(setup, "busy"), 10_000n);
  });
});
