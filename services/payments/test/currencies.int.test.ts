import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { newId } from "@settle/chassis/base/new-id";
import { errorInfoOf } from "@settle/chassis/contract/errors";
import { BadRequestSchema } from "@settle/gen/google/rpc/error_details_pb";
import type { Account } from "@settle/gen/payments/v1/account_pb";
import {
  CreateAccountRequestSchema,
  DepositRequestSchema,
  GetAccountRequestSchema,
  RefundPaymentRequestSchema,
} from "@settle/gen/payments/v1/payments_service_pb";
import {
  contextOf,
  orderOf,
  type PaymentsSetup,
  paymentOf,
  setupPayments,
} from "./payments-setup.ts";

describe("currencies", () => {
  let setup: PaymentsSetup;
  let rpc: ReturnType<PaymentsSetup["rpc"]>;
  before(async () => {
    setup = await setupPayments();
    rpc = setup.rpc();
  });
  after(() => setup?.[Symbol.asyncDispose]());

  const open = async (userId: string, currency: string, key?: string) =>
    (await rpc.createAccount(
      create(CreateAccountRequestSchema, { userId, currency }),
      contextOf("createAccount", { userId, ...(key && { key }) }),
    )) as Account;
  const deposit = async (userId: string, currency: string, key?: string) =>
    (await rpc.deposit(
      create(DepositRequestSchema, { userId, amount: { minorUnits: 100n, currency } }),
      contextOf("deposit", { userId, ...(key && { key }) }),
    )) as Account;
  const balance = async (userId: string) => {
    const request = create(GetAccountRequestSchema, { userId });
    const account = (await rpc.getAccount(request, contextOf("getAccount", { userId }))) as Account;
    return `${account.balance?.minorUnits} ${account.balance?.currency}`;
  };
  const refund = (userId: string, orderId: string, currency: string) =>
    rpc.refundPayment(
      create(RefundPaymentRequestSchema, {
        userId,
        orderId,
        amount: { minorUnits: 60n, currency },
      }),
      contextOf("refundPayment", { userId: "admin" }),
    );
  /** An account from before its currency was withdrawn, or from a version that took any code. */
  const opened = (userId: string, currency: string) =>
    setup.database.query(
      `INSERT INTO accounts (user_id, currency, balance_minor, create_time, update_time)
       VALUES ($1, $2, 500, now(), now())`,
      [userId, currency],
    );
  const refusalOf = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (error: unknown) => {
        const [bad] = ConnectError.from(error).findDetails(BadRequestSchema);
        return [
          errorInfoOf(error)?.reason,
          ...(bad?.fieldViolations ?? []).map((one) => one.field),
        ];
      },
    );

  it("open an account if they are active and have minor units", async () => {
    for (const [nth, currency] of ["EUR", "JPY", "XCG", "ZWG", "CLF"].entries()) {
      assert.equal((await open(`opener-${nth}`, currency)).balance?.currency, currency);
    }
    assert.equal((await open("opener", "")).balance?.currency, "EUR");
    const refused = ["VALIDATION_FAILED", "currency"];
    for (const currency of ["BGN", "HRK", "ITL", "ZWL", "XAU", "XTS", "XDR", "ZZZ"]) {
      assert.deepEqual(await refusalOf(open("nobody", currency)), refused, currency);
    }
    const key = newId();
    assert.deepEqual(await refusalOf(open("retrying", "BGN", key)), refused);
    assert.equal((await open("retrying", "EUR", key)).balance?.currency, "EUR");
  });

  for (const currency of ["BGN", "ALK", "XAU"]) {
    it(`that open no account any more, such as ${currency}, still pay and are refunded`, async () => {
      const userId = `holder-${currency}`;
      await opened(userId, currency);
      assert.equal((await deposit(userId, currency)).balance?.minorUnits, 600n);
      const order = orderOf(userId, 60n, currency);
      await setup.handle([order]);
      assert.equal(await paymentOf(setup, order), "PAID 60");
      assert.equal(await balance(userId), `540 ${currency}`);
      await refund(userId, order.event.orderId, currency);
      assert.equal(await balance(userId), `600 ${currency}`);
    });
  }

  it("that never existed take no deposit, and are read, paid and refunded", async () => {
    await opened("curious", "ZZZ");
    // The order is from before the upgrade, and its event arrives after it.
    const order = orderOf("curious", 60n, "ZZZ");
    await setup.handle([order]);
    assert.equal(await balance("curious"), "440 ZZZ");
    await refund("curious", order.event.orderId, "ZZZ");
    assert.equal(await balance("curious"), "500 ZZZ");
    const key = newId();
    assert.deepEqual(await refusalOf(deposit("curious", "ZZZ", key)), [
      "VALIDATION_FAILED",
      "amount.currency",
    ]);
    const keys = await setup.database.query("SELECT 1 FROM idempotency_keys WHERE key = $1", [key]);
    assert.deepEqual(keys, []);
  });
});
