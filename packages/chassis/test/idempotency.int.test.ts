import assert from "node:assert/strict";
import type { Database } from "../src/database.ts";
import { claimKeys, type KeyedCall, releaseKeys, storeAnswers } from "../src/idempotency.ts";
import { newId } from "../src/new-id.ts";
import { setupDatabase } from "./chassis-database.ts";

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
      const stored = await claimKeys(transaction, calls);
      const fresh = calls.filter((_, index) => !stored[index]);
      await storeAnswers(
        transaction,
        fresh.map((call) => ({ ...call, response: bytes(response) })),
      );
      return stored.map((found) => found && Buffer.from(found.response).toString());
    });

  it("claim a new call and return the stored answer of an old one, in the order asked", async () => {
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

  it("are free again when the call was refused", async () => {
    const call = callOf(newId());
    await database.transaction(async (transaction) => {
      await claimKeys(transaction, [call]);
      await releaseKeys(transaction, [call]);
    });
    assert.deepEqual(await answer([call], "now"), [undefined]);
  });
});
