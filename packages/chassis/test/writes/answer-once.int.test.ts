import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { type Money, MoneySchema } from "@settle/gen/money/v1/money_pb";
import type { Faults } from "../../src/base/faults.ts";
import { newId } from "../../src/base/new-id.ts";
import type { Database } from "../../src/database/database.ts";
import { answerOnce, type Outcome } from "../../src/writes/answer-once.ts";
import type { KeyedCall } from "../../src/writes/idempotency.ts";
import { openChassisDatabase, setupDatabase } from "../database/chassis-database.ts";

type Item = { readonly call: KeyedCall; readonly minorUnits: bigint };

function itemOf(key: string, minorUnits: bigint, userId = "alice"): Item {
  const requestHash = Buffer.from(`request ${minorUnits}`);
  return { call: { key, userId, method: "Deposit", requestHash }, minorUnits };
}

function refused(reason: ErrorReason): string {
  return `refused for ${reason}`;
}

describe("answering once per idempotency key", () => {
  let setup: Awaited<ReturnType<typeof setupDatabase>>;
  let database: Database;
  before(async () => {
    setup = await setupDatabase();
    ({ database } = setup);
  });
  after(() => setup?.[Symbol.asyncDispose]());

  const run = (
    items: readonly Item[],
    refuse: (item: Item) => boolean = () => false,
    on: Database = database,
  ) => {
    const effects: bigint[] = [];
    const outcomes = on.transaction((transaction) =>
      answerOnce(transaction, MoneySchema, items, async (fresh) => {
        effects.push(...fresh.map((item) => item.minorUnits));
        return fresh.map((item) =>
          refuse(item)
            ? ErrorReason.ACCOUNT_NOT_FOUND
            : create(MoneySchema, { minorUnits: item.minorUnits, currency: "EUR" }),
        );
      }),
    );
    return outcomes.then((all) => ({ effects, outcomes: all.map(shown) }));
  };
  const shown = (outcome: Outcome<Money>) =>
    "answer" in outcome
      ? `${outcome.answer.minorUnits}${outcome.replayed ? " again" : ""}`
      : refused(outcome.refusal);

  it("gives the first answer again, without its effect", async () => {
    const item = itemOf(newId(), 1n);
    assert.deepEqual(await run([item]), { effects: [1n], outcomes: ["1"] });
    assert.deepEqual(await run([item]), { effects: [], outcomes: ["1 again"] });
  });

  it("refuses the key for another request", async () => {
    const key = newId();
    await run([itemOf(key, 1n)]);
    const { effects, outcomes } = await run([itemOf(key, 2n)]);
    assert.deepEqual(effects, []);
    assert.deepEqual(outcomes, [refused(ErrorReason.IDEMPOTENCY_KEY_REUSED)]);
  });

  it("lets duplicates in a batch take effect once, and refuses one with another request", async () => {
    const key = newId();
    const twins = [itemOf(key, 1n), itemOf(newId(), 9n), itemOf(key, 1n), itemOf(key, 2n)];
    const { effects, outcomes } = await run(twins);
    assert.deepEqual(effects, [1n, 9n]);
    const reused = refused(ErrorReason.IDEMPOTENCY_KEY_REUSED);
    assert.deepEqual(outcomes, ["1", "9", "1 again", reused]);
  });

  it("gives each of two requests under one key in a batch its own outcome, not the other's", async () => {
    const reused = refused(ErrorReason.IDEMPOTENCY_KEY_REUSED);
    const key = newId();
    const [one, other] = [itemOf(key, 1n), itemOf(key, 2n)];
    await run([one]);
    // The other comes first and is no reason to refuse the one.
    assert.deepEqual((await run([other, one])).outcomes, [reused, "1 again"]);

    const unused = newId();
    const [refusable, rival] = [itemOf(unused, 1n), itemOf(unused, 2n)];
    const { effects, outcomes } = await run([refusable, rival], (item) => item === refusable);
    assert.deepEqual(effects, [1n]);
    assert.deepEqual(outcomes, [refused(ErrorReason.ACCOUNT_NOT_FOUND), reused]);
    assert.deepEqual((await run([rival])).outcomes, ["2"]);
  });

  it("keeps the keys of different users apart", async () => {
    const key = newId();
    const { effects } = await run([itemOf(key, 1n, "alice"), itemOf(key, 2n, "bob")]);
    assert.deepEqual(effects, [1n, 2n]);
  });

  it("lets one of many concurrent transactions take effect", async () => {
    const item = itemOf(newId(), 1n);
    const runs = await Promise.all(Array.from({ length: 8 }, () => run([item])));
    assert.deepEqual(
      runs.flatMap(({ effects }) => effects),
      [1n],
    );
    assert.equal(runs.filter(({ outcomes }) => outcomes[0] === "1 again").length, 7);
  });

  it("stores nothing of a refused call, which may succeed later", async () => {
    const item = itemOf(newId(), 1n);
    const { outcomes } = await run([item], () => true);
    assert.deepEqual(outcomes, [refused(ErrorReason.ACCOUNT_NOT_FOUND)]);
    assert.deepEqual(await run([item]), { effects: [1n], outcomes: ["1"] });
  });

  it("gives the answer to a repetition that its first try has made impossible meanwhile", async () => {
    const item = itemOf(newId(), 1n);
    let tries = 0;
    const outcomes = await database.transaction((transaction) =>
      answerOnce(transaction, MoneySchema, [item], async (fresh) => {
        tries += 1;
        // Takes effect, and commits, after this one has looked for its key.
        await run([item]);
        return fresh.map(() => ErrorReason.BALANCE_LIMIT_EXCEEDED);
      }),
    );
    assert.deepEqual(outcomes.map(shown), ["1 again"]);
    assert.equal(tries, 1);
  });

  it("returns a refusal with its metadata, also to duplicates, and stores nothing", async () => {
    const item = itemOf(newId(), 1n);
    const facts = { refusal: ErrorReason.BALANCE_LIMIT_EXCEEDED, metadata: { left: "0" } };
    const outcomes = () =>
      database.transaction((transaction) =>
        answerOnce(transaction, MoneySchema, [item, { ...item }], async (fresh) =>
          fresh.map(() => facts),
        ),
      );
    assert.deepEqual(await outcomes(), [facts, facts]);
    assert.deepEqual(await outcomes(), [facts, facts]);
  });

  it("finds its own effect when the response to COMMIT was lost", async () => {
    let lost = false;
    const faults: Faults = {
      reach(point) {
        if (point !== "transaction.after-commit" || lost) return;
        lost = true;
        throw new Error("Connection terminated unexpectedly");
      },
    };
    await using cut = openChassisDatabase(setup.url, faults);
    const { effects, outcomes } = await run([itemOf(newId(), 1n)], undefined, cut);
    assert.deepEqual(effects, [1n]);
    assert.deepEqual(outcomes, ["1 again"]);
  });
});
