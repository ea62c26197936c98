import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { systemClock } from "@settle/chassis/base/clock";
import { noFaults } from "@settle/chassis/base/faults";
import { failureOf } from "@settle/chassis/database/database-failure";
import { countStatements, testLog } from "@settle/chassis/testing";
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

  describe("while another transaction has locked a row", () => {
    const users = Array.from({ length: 64 }, (_, nth) => `depositor-${nth}`);
    const [held = "", ...others] = users;
    const lockedAccount = /^UserLockedError: the data of user depositor-0 is locked/;
    before(() => setup.create(users));

    /** The calls of another replica, with the limits that a service has. */
    const startReplica = () => {
      const options = { url: setup.url, clock: systemClock, log: testLog, faults: noFaults };
      const replica = countStatements(createPaymentsDatabase(options));
      const rpc = setup.rpc(replica);
      return {
        replica,
        deposit: (userId: string, options: { key?: string; timeoutMs?: number } = {}) => {
          const amount = { minorUnits: 1n, currency: "EUR" };
          const request = create(DepositRequestSchema, { userId, amount });
          return rpc.deposit(request, contextOf("deposit", { userId, ...options }));
        },
        [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
      };
    };
    const balanceOf = async (userId: string) => {
      const [row] = await setup.database.query<{ balance_minor: string }>(
        "SELECT balance_minor FROM accounts WHERE user_id = $1",
        [userId],
      );
      return row?.balance_minor;
    };

    it("of an account, only the calls of its user wait or fail", async () => {
      await using started = startReplica();
      const { replica, deposit } = started;
      let waiting: unknown;
      await setup.database.transaction(async (transaction) => {
        await transaction.query("SELECT 1 FROM accounts WHERE user_id = $1 FOR UPDATE", [held]);
        const failing = deposit(held, { key: "kept-not" });
        waiting = deposit(held, { timeoutMs: 60_000 });
        const rest = others.map((userId) => deposit(userId));
        await assert.rejects(Promise.resolve(failing), lockedAccount);
        await Promise.all(rest);
        const triedTogether = replica.statements.length;
        await Promise.all(others.map((userId) => deposit(userId)));
        // The batch with the locked account, the rest of it, and the next batch; and tries apart.
        assert.ok(triedTogether <= 6, `${triedTogether} transactions`);
      });
      await waiting;
      await deposit(held, { key: "kept-not" });
      assert.equal(await balanceOf(held), "2");
      assert.equal(await balanceOf(others[0] ?? ""), "2");
    });

    it("of an idempotency key, only the calls of its user wait or fail", async () => {
      await using started = startReplica();
      const { deposit } = started;
      let waiting: unknown;
      await setup.database.transaction(async (transaction) => {
        await transaction.query(
          `INSERT INTO idempotency_keys (key, user_id, method, request_hash)
           VALUES ('in-flight', $1, 'Deposit', '')`,
          [held],
        );
        waiting = deposit(held, { key: "in-flight", timeoutMs: 60_000 });
        const own = deposit(held, { timeoutMs: 60_000 });
        await Promise.all(others.map((userId) => deposit(userId)));
        // Not locked itself, and not kept behind what is.
        await own;
        await transaction.query("DELETE FROM idempotency_keys WHERE key = 'in-flight'", []);
      });
      await waiting;
      assert.equal(await balanceOf(held), "4");
    });

    it("of every account, the calls fail as unavailable and nothing is done", async () => {
      await using started = startReplica();
      const { deposit } = started;
      await setup.database.transaction(async (transaction) => {
        await transaction.query("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE", []);
        const results = await Promise.allSettled(others.map((userId) => deposit(userId)));
        for (const result of results) {
          assert.ok(result.status === "rejected");
          assert.equal(failureOf(result.reason), "locked");
        }
      });
      await Promise.all(others.map((userId) => deposit(userId)));
      assert.equal(await balanceOf(others[0] ?? ""), "4");
    });
  });
});
