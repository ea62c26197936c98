import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { systemClock } from "@settle/chassis/base/clock";
import { noFaults } from "@settle/chassis/base/faults";
import { failureOf } from "@settle/chassis/database/database-failure";
import { testLog } from "@settle/chassis/testing";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { DepositRequestSchema } from "@settle/gen/payments/v1/payments_service_pb";
import { createPaymentsDatabase } from "../src/database.ts";
import { createAccounts } from "../src/fund-accounts.ts";
import { callOf, contextOf, setupPayments } from "./payments-setup.ts";

describe("calls that fund accounts", () => {
  let setup: Awaited<ReturnType<typeof setupPayments>>;
  before(async () => {
    setup = await setupPayments();
  });
  after(() => setup?.[Symbol.asyncDispose]());

  it("create each account once in a batch, and answer with the one that is stored", async () => {
    const calls = ["EUR", "USD", "JPY"].flatMap((currency, turn) =>
      Array.from({ length: 20 }, (_, nth) => ({
        // Somebody who may creates them for the others.
        call: callOf("clerk", "CreateAccount"),
        userId: `twin-${nth}`,
        currency,
        createTime: new Date(),
        // Some order in which no currency is always first.
        place: (nth * 17 + turn * 41) % 61,
      })),
    );
    const shuffled = calls.toSorted((one, other) => one.place - other.place);
    const outcomes = await setup.database.transaction((transaction) =>
      createAccounts(transaction, shuffled),
    );
    const rows = await setup.database.query<{ user_id: string; currency: string }>(
      "SELECT user_id, currency FROM accounts WHERE user_id LIKE 'twin-%'",
      [],
    );
    const stored = new Map(rows.map((row) => [row.user_id, row.currency]));
    assert.equal(stored.size, 20);
    assert.equal(new Set(stored.values()).size, 3);
    const answered = new Set<string>();
    outcomes.forEach((outcome, nth) => {
      const { userId, currency } = shuffled[nth] ?? assert.fail();
      const isFirst = !answered.has(userId);
      answered.add(userId);
      if (!isFirst) {
        assert.deepEqual(outcome, { refusal: ErrorReason.ACCOUNT_ALREADY_EXISTS });
      } else {
        assert.ok("answer" in outcome);
        assert.equal(outcome.answer.balance?.currency, currency);
        assert.equal(stored.get(userId), currency);
      }
    });
  });

  it("wait a few lock timeouts at most for an account that another transaction has locked", async () => {
    const lockTimeoutMs = 200;
    const users = Array.from({ length: 64 }, (_, nth) => `depositor-${nth}`);
    await setup.create(users);
    // For connections made from now on.
    await setup.database.query(`ALTER ROLE CURRENT_USER SET lock_timeout = ${lockTimeoutMs}`, []);
    const options = { url: setup.url, clock: systemClock, log: testLog, faults: noFaults };
    await using database = createPaymentsDatabase(options);
    const rpc = setup.rpc(database);
    const deposit = (userId: string) => {
      const amount = { minorUnits: 1n, currency: "EUR" };
      return rpc.deposit(
        create(DepositRequestSchema, { userId, amount }),
        contextOf("deposit", { userId }),
      );
    };
    const held = users[21] ?? "";
    await setup.database.transaction(async (transaction) => {
      await transaction.query("SELECT 1 FROM accounts WHERE user_id = $1 FOR UPDATE", [held]);
      const startedMs = performance.now();
      const results = await Promise.allSettled(users.map(deposit));
      const tookMs = performance.now() - startedMs;
      const failed = users.filter((_, nth) => results[nth]?.status === "rejected");
      assert.deepEqual(failed, [held]);
      const [failure] = results.filter((result) => result.status === "rejected");
      assert.equal(failureOf(failure?.reason), "locked");
      // The batch, its halves, their halves and so on down to one alone: 1 + log2 64.
      assert.ok(tookMs < 7 * lockTimeoutMs + 2_000, `${tookMs} ms`);
    });
    await deposit(held);
  });
});
