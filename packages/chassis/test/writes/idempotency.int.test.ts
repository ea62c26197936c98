import assert from "node:assert/strict";
import { newId } from "../../src/base/new-id.ts";
import type { Database, Transaction } from "../../src/database/database.ts";
import { testClock, testLog } from "../../src/testing.ts";
import {
  checkUnused,
  expireKeys,
  findAnswers,
  type KeyedCall,
  storeAnswers,
} from "../../src/writes/idempotency.ts";
import { setupDatabase } from "../database/chassis-database.ts";

const bytes = (text: string) => Buffer.from(text);

function callOf(key: string, userId = "alice"): KeyedCall {
  return { key, userId, method: "CreateOrder", requestHash: bytes(`request ${key}`) };
}

describe("idempotency keys", () => {
  let setup: Awaited<ReturnType<typeof setupDatabase>>;
  let database: Database;
  before(async () => {
    setup = await setupDatabase();
    ({ database } = setup);
  });
  after(() => setup[Symbol.asyncDispose]());

  const answer = (calls: readonly KeyedCall[], response: string) =>
    database.transaction(async (transaction) => {
      const stored = await findAnswers(transaction, calls);
      const fresh = calls.filter((_, index) => !stored[index]);
      await storeAnswers(
        transaction,
        fresh.map((call) => ({ ...call, response: bytes(response) })),
      );
      return stored.map((found) => found && Buffer.from(found.response).toString());
    });

  it("find nothing for a new call and return the stored answer of an old one, in the order asked", async () => {
    const [old, fresh] = [newId(), newId()];
    assert.deepEqual(await answer([callOf(old)], "first"), [undefined]);
    assert.deepEqual(await answer([callOf(fresh), callOf(old)], "second"), [undefined, "first"]);
  });

  it("belong to one user", async () => {
    const key = newId();
    const calls = [callOf(key, "alice"), callOf(key, "bob")];
    assert.deepEqual(await answer(calls, "both"), [undefined, undefined]);
  });

  it("let exactly one of many concurrent transactions take effect", async () => {
    const call = callOf(newId());
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, turn) => answer([call], `${turn}`)),
    );
    const winners = answers.filter(([stored]) => stored === undefined);
    assert.equal(winners.length, 1);
    assert.equal(new Set(answers.flat()).size, 2);
  });

  it("cause a retry if they were used since somebody looked", async () => {
    for (const last of [
      (transaction: Transaction, call: KeyedCall) =>
        storeAnswers(transaction, [{ ...call, response: bytes("second") }]),
      (transaction: Transaction, call: KeyedCall) => checkUnused(transaction, [call]),
    ]) {
      const call = callOf(newId());
      const found: (string | undefined)[] = [];
      await database.transaction(async (transaction) => {
        const [stored] = await findAnswers(transaction, [call]);
        found.push(stored && Buffer.from(stored.response).toString());
        if (stored) return;
        await answer([call], "first");
        await last(transaction, call);
      });
      assert.deepEqual(found, [undefined, "first"]);
    }
  });

  describe("that grow old", () => {
    const age = (keys: readonly string[], interval: string) =>
      database.query(
        `UPDATE idempotency_keys SET create_time = now() - $2::interval WHERE key = ANY($1)`,
        [keys, interval],
      );
    /** One run of the loop; disposing it waits for the end. */
    const expire = async (clock = testClock) => {
      await using loop = expireKeys({ database, clock, log: testLog });
      loop.wake();
    };
    const left = async (keys: readonly string[]) => {
      const rows = await database.query<{ key: string }>(
        "SELECT key FROM idempotency_keys WHERE key = ANY($1)",
        [keys],
      );
      return rows.map(({ key }) => key);
    };

    it("are kept for a day and no longer", async () => {
      const [old, young, fresh] = [newId(), newId(), newId()];
      await answer([callOf(old), callOf(young), callOf(fresh)], "first");
      await age([old], "24 hours 1 second");
      await age([young], "23 hours 59 minutes");
      await expire({ ...testClock, earliestMs: () => Date.now() - 60_000 });
      assert.equal((await left([old])).length, 1, "it is not a day old by every clock");
      await expire();
      assert.deepEqual((await left([old, young, fresh])).sort(), [young, fresh].sort());
      assert.deepEqual(await answer([callOf(young), callOf(fresh)], "again"), ["first", "first"]);
    });

    it("can be used for another call once they have expired", async () => {
      const call = callOf(newId());
      await answer([call], "first");
      await age([call.key], "25 hours");
      assert.deepEqual(await answer([call], "not yet"), ["first"]);
      await expire();
      assert.deepEqual(await answer([call], "second"), [undefined]);
      await expire();
      assert.deepEqual(await answer([call], "third"), ["second"]);
    });

    it("are all deleted after a run, however many, with another replica doing the same", async () => {
      await database.query(
        `INSERT INTO idempotency_keys (key, user_id, method, request_hash, response, create_time)
         SELECT 'many-' || nth, 'alice', 'CreateOrder', '', '', now() - interval '2 days'
         FROM generate_series(1, 12000) AS nth`,
        [],
      );
      await Promise.all([expire(), expire()]);
      const rows = await database.query(
        "SELECT 1 FROM idempotency_keys WHERE key LIKE 'many-%'",
        [],
      );
      assert.equal(rows.length, 0);
    });

    it("take effect at most once more, however many calls use them as they expire", async () => {
      for (let round = 0; round < 10; round += 1) {
        const call = callOf(newId());
        await answer([call], "first");
        await age([call.key], "25 hours");
        const calls = Array.from({ length: 16 }, (_, turn) => answer([call], `new ${turn}`));
        const [answers] = await Promise.all([Promise.all(calls), expire()]);
        const winner = answers.findIndex(([stored]) => stored === undefined);
        const known = new Set(["first", undefined, `new ${winner}`]);
        assert.equal(answers.filter(([stored]) => stored === undefined).length, winner < 0 ? 0 : 1);
        for (const [stored] of answers) assert.ok(known.has(stored), stored);
        // Deleted under way or, at the latest, now.
        const last = winner < 0 ? undefined : `new ${winner}`;
        assert.deepEqual(await answer([call], "last"), [last]);
      }
    });
  });
});
