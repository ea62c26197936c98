import assert, { AssertionError } from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { newId } from "@settle/chassis/base/new-id";
import { errorInfoOf } from "@settle/chassis/contract/errors";
import type { MoneySchema } from "@settle/gen/money/v1/money_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { type Payment, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import {
  GetPaymentRequestSchema,
  ListLedgerEntriesRequestSchema,
  type ListLedgerEntriesResponse,
  RefundPaymentRequestSchema,
} from "@settle/gen/payments/v1/payments_service_pb";
import { largestMinor, maxBalanceMinor } from "../src/account.entity.ts";
import { refundPayments } from "../src/refund-payments.ts";
import {
  balanceOf,
  callOf,
  cancellationOf,
  contextOf,
  faultsInBooks,
  type OrderMessage,
  orderOf,
  type PaymentsSetup,
  paymentOf,
  publishedAbout,
  setupPayments,
} from "./payments-setup.ts";
import { holding, untilBlocked } from "./races.ts";

type Money = MessageInitShape<typeof MoneySchema>;

const euros = (minorUnits: bigint): Money => ({ minorUnits, currency: "EUR" });

describe("refunds", () => {
  let setup: PaymentsSetup;
  let rpc: ReturnType<PaymentsSetup["rpc"]>;
  before(async () => {
    setup = await setupPayments();
    rpc = setup.rpc();
  });
  after(() => setup?.[Symbol.asyncDispose]());
  afterEach(async () => assert.deepEqual(await faultsInBooks(setup), []));

  /** An order of the user, paid from an account that holds `balanceMinor` before. */
  const paid = async (userId: string, amountMinor: bigint, balanceMinor = amountMinor) => {
    await setup.create([userId]);
    await setup.deposit([userId], balanceMinor);
    const order = orderOf(userId, amountMinor);
    await setup.handle([order]);
    assert.equal(await paymentOf(setup, order), `PAID ${amountMinor}`);
    return order;
  };
  const refund = async (
    { event: { orderId, userId } }: OrderMessage,
    amount?: Money,
    options: { readonly key?: string; readonly as?: string; readonly on?: typeof rpc } = {},
  ) => {
    const { as = "admin", on = rpc, ...keyed } = options;
    const request = { userId, orderId, ...(amount && { amount }) };
    const context = contextOf("refundPayment", { userId: as, ...keyed });
    const answer = await on.refundPayment(create(RefundPaymentRequestSchema, request), context);
    return { payment: answer as Payment, replayed: context.responseHeader.get(replayedHeader) };
  };
  const replayedHeader = "idempotency-replayed";
  /** What the call is refused with: `FailedPrecondition REASON {metadata}`. */
  const refusalOf = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (error: unknown) => {
        const { reason, metadata } = errorInfoOf(error) ?? assert.fail(String(error));
        const facts = Object.entries(metadata).map((entry) => entry.join("="));
        return [Code[ConnectError.from(error).code], reason, ...facts].join(" ");
      },
    );
  const exceeds = (leftMinor: bigint) =>
    `FailedPrecondition REFUND_EXCEEDS_PAYMENT left_minor_units=${leftMinor}`;

  it("may be partial until nothing is left", async () => {
    const order = await paid("parts", 100n, 150n);
    const { payment } = await refund(order, euros(30n));
    assert.equal(payment.orderId, order.event.orderId);
    assert.equal(payment.outcome, PaymentOutcome.PAID);
    assert.equal(payment.amount?.minorUnits, 100n);
    assert.equal(payment.refundedAmount?.minorUnits, 30n);
    assert.equal(payment.refundedAmount?.currency, "EUR");
    assert.ok(payment.refundTime);
    assert.equal(await balanceOf(setup, "parts"), 80n);
    assert.equal(await refusalOf(refund(order, euros(71n))), exceeds(70n));
    assert.equal((await refund(order, euros(69n))).payment.refundedAmount?.minorUnits, 99n);
    assert.equal((await refund(order)).payment.refundedAmount?.minorUnits, 100n);
    assert.equal(await refusalOf(refund(order)), exceeds(0n));
    assert.equal(await refusalOf(refund(order, euros(1n))), exceeds(0n));
    assert.equal(await balanceOf(setup, "parts"), 150n);
    assert.deepEqual(await publishedAbout(setup, order), [
      "result PAID",
      "refunded 30 EUR",
      "refunded 99 EUR",
      "refunded 100 EUR",
    ]);
  });

  it("are for the full amount if none is given, and shown with the payment", async () => {
    const order = await paid("everything", 100n);
    const { orderId, userId } = order.event;
    const get = async () =>
      (await rpc.getPayment(
        create(GetPaymentRequestSchema, { userId, orderId }),
        contextOf("getPayment", { userId }),
      )) as Payment;
    const before = await get();
    assert.equal(before.refundedAmount?.minorUnits, 0n);
    assert.equal(before.refundedAmount?.currency, "EUR");
    assert.equal(before.refundTime, undefined);
    const { payment } = await refund(order);
    assert.equal(payment.refundedAmount?.minorUnits, 100n);
    assert.deepEqual(await get(), payment);
  });

  it("stand in the statement with their order, against the sales account", async () => {
    const order = await paid("statement", 100n);
    await refund(order, euros(40n));
    const { userId, orderId } = order.event;
    const { entries } = (await rpc.listLedgerEntries(
      create(ListLedgerEntriesRequestSchema, { userId }),
      contextOf("listLedgerEntries", { userId }),
    )) as ListLedgerEntriesResponse;
    const { DEPOSIT, PAYMENT, REFUND } = LedgerEntryKind;
    assert.deepEqual(
      entries.map((entry) => [
        entry.kind,
        entry.amount?.minorUnits,
        entry.balanceAfter?.minorUnits,
        entry.orderId,
      ]),
      [
        [REFUND, 40n, 40n, orderId],
        [PAYMENT, -100n, 0n, orderId],
        [DEPOSIT, 100n, 100n, ""],
      ],
    );
    const legs = await setup.database.query(
      "SELECT account, amount_minor FROM ledger_entries WHERE movement_id = $1 AND account <> $2",
      [entries[0]?.id, userId],
    );
    assert.deepEqual(legs, [{ account: "system:sales:EUR", amount_minor: "-40" }]);
  });

  it("are refused if the payment is missing, not paid, or in another currency", async () => {
    const order = await paid("refused", 100n);
    const unknown = "NotFound PAYMENT_NOT_FOUND";
    const { event, ...rest } = order;
    assert.equal(await refusalOf(refund(orderOf("refused", 100n), euros(1n))), unknown);
    await paid("other-user", 1n);
    const foreign = { ...rest, event: { ...event, userId: "other-user" } };
    assert.equal(await refusalOf(refund(foreign, euros(1n))), unknown);

    const [declined, cancelled] = [orderOf("refused", 100n), orderOf("refused", 100n)];
    await setup.handle([declined, cancellationOf(cancelled)]);
    const notRefundable = "FailedPrecondition PAYMENT_NOT_REFUNDABLE";
    assert.equal(await refusalOf(refund(declined, euros(1n))), notRefundable);
    assert.equal(await refusalOf(refund(declined)), notRefundable);
    assert.equal(await refusalOf(refund(cancelled)), notRefundable);

    const dollar = { minorUnits: 1n, currency: "USD" };
    assert.equal(await refusalOf(refund(order, dollar)), "FailedPrecondition CURRENCY_MISMATCH");
    assert.equal(await paymentOf(setup, order), "PAID 100");
    assert.deepEqual(await publishedAbout(setup, order), ["result PAID"]);
  });

  it("accept an order id in upper case", async () => {
    const { event, ...rest } = await paid("capitals", 100n);
    const shouted = { ...rest, event: { ...event, orderId: event.orderId.toUpperCase() } };
    assert.equal((await refund(shouted)).payment.orderId, event.orderId);
  });

  it("take effect once under one key of one caller", async () => {
    const order = await paid("replay", 100n);
    const key = newId();
    const first = await refund(order, euros(60n), { key });
    assert.equal(first.replayed, null);
    const again = await refund(order, euros(60n), { key });
    assert.deepEqual(again, { ...first, replayed: "true" });
    const reused = "AlreadyExists IDEMPOTENCY_KEY_REUSED";
    assert.equal(await refusalOf(refund(order, euros(1n), { key })), reused);
    assert.equal(await refusalOf(refund(order, undefined, { key })), reused);
    await refund(order, euros(10n), { key, as: "another-admin" });
    assert.equal(await paymentOf(setup, order), "PAID 100, refunded 70");
    assert.equal(await balanceOf(setup, "replay"), 70n);
  });

  it("that were refused leave their key free", async () => {
    const order = orderOf("retried", 100n);
    const key = newId();
    assert.equal(await refusalOf(refund(order, euros(60n), { key })), "NotFound PAYMENT_NOT_FOUND");
    await setup.create(["retried"]);
    await setup.deposit(["retried"], 100n);
    await setup.handle([order]);
    assert.equal((await refund(order, euros(60n), { key })).replayed, null);
  });

  it("that run concurrently, on two replicas, never exceed what was paid", async () => {
    const order = await paid("together", 100n);
    const other = setup.rpc(setup.openAgain());
    const calls = Array.from({ length: 20 }, (_, nth) =>
      refund(order, euros(9n), { on: nth % 2 === 0 ? rpc : other }),
    );
    const results = await Promise.allSettled(calls);
    const totals = results.flatMap((result) =>
      result.status === "fulfilled"
        ? [Number(result.value.payment.refundedAmount?.minorUnits)]
        : [],
    );
    const expected = Array.from({ length: 11 }, (_, nth) => 9 * (nth + 1));
    assert.deepEqual(
      totals.toSorted((one, two) => one - two),
      expected,
    );
    const refused = calls.filter((_, nth) => results[nth]?.status === "rejected");
    assert.equal(refused.length, 9);
    for (const call of refused) assert.equal(await refusalOf(call), exceeds(1n));
    assert.equal(await balanceOf(setup, "together"), 99n);
    assert.deepEqual(
      (await publishedAbout(setup, order)).slice(1).toSorted(),
      expected.map((total) => `refunded ${total} EUR`).toSorted(),
    );
  });

  for (const first of ["refund", "cancellation"] as const) {
    it(`race with a cancellation of the order, the ${first} first`, async () => {
      const order = await paid(`race-${first}`, 100n);
      const { userId, orderId } = order.event;
      const call = {
        call: callOf("admin", "RefundPayment"),
        movementId: newId(),
        eventId: newId(),
        userId,
        orderId,
        asked: { amountMinor: 30n, currency: "EUR" },
      };
      const refundHeld = (hold?: () => Promise<void>) =>
        setup.database.transaction(async (transaction) => {
          const outcomes = await refundPayments(transaction, setup.outbox, [call], new Date());
          await hold?.();
          return outcomes;
        });
      const cancel = (hold?: () => Promise<void>) =>
        setup.handle([cancellationOf(order)], { on: setup.openAgain(), ...(hold && { hold }) });
      const [one, two] = first === "refund" ? [refundHeld, cancel] : [cancel, refundHeld];
      await using held = await holding(one);
      const waiting = two();
      await untilBlocked(setup);
      await held.release();
      await waiting;
      assert.equal(await paymentOf(setup, order), "PAID 100, refunded 100");
      const events = first === "refund" ? ["refunded 30 EUR"] : [];
      assert.deepEqual(await publishedAbout(setup, order), [
        "result PAID",
        ...events,
        "refunded 100 EUR",
        "result PAID, 100 back",
      ]);
      assert.equal(await balanceOf(setup, userId), 100n);
    });
  }

  it("go into an account at the balance limit", async () => {
    const order = await paid("rich", 100n, maxBalanceMinor);
    await setup.deposit(["rich"], 100n);
    await refund(order);
    assert.equal(await balanceOf(setup, "rich"), maxBalanceMinor + 100n);
  });

  it("go up to the largest number that is stored, and then leave everything as it is", async () => {
    const orders = [await paid("richest", 100n, 200n), orderOf("richest", 100n)] as const;
    const [order, cancelled] = orders;
    await setup.handle([cancelled]);
    const untilFull = 150n;
    // As many refunds would do, which no test has the time for.
    await setup.database.query(
      `WITH refunds AS (
         UPDATE accounts SET balance_minor = $2, entry_count = entry_count + 1 WHERE user_id = $1
       )
       INSERT INTO ledger_entries (movement_id, account, kind, amount_minor, currency, sequence,
                                   balance_after_minor, create_time)
       VALUES ($3, $1, ${LedgerEntryKind.REFUND}, $2, 'EUR', 99, $2, now()),
              ($3, 'system:sales:EUR', ${LedgerEntryKind.REFUND}, -$2::bigint, 'EUR', NULL, NULL, now())`,
      ["richest", largestMinor - untilFull, newId()],
    );
    await refund(order, euros(100n));
    const full = "FailedPrecondition BALANCE_LIMIT_EXCEEDED";
    assert.equal(await refusalOf(refund(cancelled, euros(51n))), full);
    await assert.rejects(setup.handle([cancellationOf(cancelled)]), AssertionError);
    assert.equal(await paymentOf(setup, cancelled), "PAID 100");
    assert.equal(await balanceOf(setup, "richest"), largestMinor - 50n);
    assert.deepEqual(await publishedAbout(setup, cancelled), ["result PAID"]);
    const { payment } = await refund(cancelled, euros(50n));
    assert.equal(payment.refundedAmount?.minorUnits, 50n);
    assert.equal(await balanceOf(setup, "richest"), largestMinor);
  });

  it("are refused while too many events are waiting", async () => {
    const order = await paid("overloaded", 100n);
    const full = { ...setup.outbox, full: true };
    const on = setup.rpc(setup.database, full);
    assert.equal(await refusalOf(refund(order, undefined, { on })), "ResourceExhausted OVERLOADED");
    assert.equal(await paymentOf(setup, order), "PAID 100");
  });

  it("take as many statements for a hundred as for one", async () => {
    const userIds = Array.from({ length: 100 }, (_, nth) => `user-${nth}`);
    await setup.create(userIds);
    await setup.deposit(userIds, 1_000n);
    const orders = userIds.map((userId) => orderOf(userId, 10n));
    await setup.handle(orders);
    for (const size of [1, 10, 100]) {
      const callsFor = (amountMinor: bigint) =>
        orders.slice(0, size).map(({ event: { orderId, userId } }) => ({
          call: callOf("admin", "RefundPayment"),
          movementId: newId(),
          eventId: newId(),
          userId,
          orderId,
          asked: { amountMinor, currency: "EUR" },
        }));
      const run = (calls: ReturnType<typeof callsFor>) =>
        setup.database.transaction((transaction) =>
          refundPayments(transaction, setup.outbox, calls, new Date()),
        );
      const before = setup.database.statements.length;
      await run(callsFor(1n));
      // Some are refused: their keys are given up.
      await run([...callsFor(1n), ...callsFor(100n)]);
      assert.deepEqual(setup.database.statements.slice(before), [7, 8], `${size} refunds`);
    }
  });
});
