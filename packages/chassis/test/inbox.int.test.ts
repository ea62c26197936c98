import assert from "node:assert/strict";
import type { Database } from "../src/database.ts";
import { claimMessages, maintainInbox, releaseMessages } from "../src/inbox.ts";
import { newId } from "../src/new-id.ts";
import { setupDatabase } from "./chassis-database.ts";

const dayMs = 86_400_000;

describe("inbox", () => {
  let setup: Awaited<ReturnType<typeof setupDatabase>>;
  let database: Database;
  before(async () => {
    setup = await setupDatabase();
    ({ database } = setup);
  });
  after(() => setup[Symbol.asyncDispose]());

  const claim = (ids: readonly string[]) =>
    database.transaction((transaction) => claimMessages(transaction, ids));

  it("claims each message once", async () => {
    const [known, fresh] = [newId(), newId()];
    assert.deepEqual([...(await claim([known]))], [known]);
    assert.deepEqual([...(await claim([known, fresh]))], [fresh]);
  });

  it("gives every message to exactly one of many transactions that want it at once", async () => {
    const ids = Array.from({ length: 50 }, newId);
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, turn) => claim(turn % 2 === 0 ? ids : ids.toReversed())),
    );
    assert.deepEqual(claims.flatMap((claimed) => [...claimed]).toSorted(), ids);
  });

  it("forgets what a transaction that fails had claimed", async () => {
    const id = newId();
    const failing = database.transaction(async (transaction) => {
      await claimMessages(transaction, [id]);
      throw new Error("no");
    });
    await assert.rejects(failing);
    assert.deepEqual([...(await claim([id]))], [id]);
  });

  it("takes a released message again", async () => {
    const id = newId();
    await database.transaction(async (transaction) => {
      await claimMessages(transaction, [id]);
      await releaseMessages(transaction, [id]);
    });
    assert.deepEqual([...(await claim([id]))], [id]);
  });

  it("makes the partitions of the days to come and drops those too old, whoever runs it", async () => {
    const laterMs = Date.now() + 10 * dayMs;
    await Promise.all([maintainInbox(database, laterMs), maintainInbox(database, laterMs)]);
    const rows = await database.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'inbox'::regclass ORDER BY 1`,
      [],
    );
    const day = (timeMs: number) =>
      `inbox_${new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", "_")}`;
    assert.equal(rows.length, 34);
    assert.equal(rows[0]?.name, day(laterMs - 30 * dayMs));
    assert.equal(rows.at(-1)?.name, day(laterMs + 3 * dayMs));
  });
});
