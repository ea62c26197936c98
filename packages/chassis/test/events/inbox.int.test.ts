import assert from "node:assert/strict";
import { newId } from "../../src/base/new-id.ts";
import { firstIdAt } from "../../src/contract/message-id.ts";
import type { Database } from "../../src/database/database.ts";
import { claimMessages, maintainInbox, releaseMessages } from "../../src/events/inbox.ts";
import { setupDatabase } from "../database/chassis-database.ts";

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

  it("gives every message to exactly one of many concurrent transactions", async () => {
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

  it("creates missing partitions and drops old ones, from several replicas too", async () => {
    const day = (timeMs: number) =>
      `inbox_${new Date(timeMs).toISOString().slice(0, 10).replaceAll("-", "_")}`;
    const [row] = await database.query<{ now_ms: string }>(
      "SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_ms",
      [],
    );
    const nowMs = Number(row?.now_ms);
    const old = day(nowMs - 40 * dayMs);
    await database.query(
      `CREATE TABLE ${old} PARTITION OF inbox
       FOR VALUES FROM ('${firstIdAt(0)}') TO ('${firstIdAt(dayMs)}')`,
      [],
    );
    await database.query(`DROP TABLE ${day(nowMs + dayMs)}`, []);
    await Promise.all([maintainInbox(database), maintainInbox(database)]);
    const rows = await database.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'inbox'::regclass ORDER BY 1`,
      [],
    );
    const names = rows.map(({ name }) => name);
    assert.equal(names.length, 34);
    assert.deepEqual(names, names.toSorted());
    assert.equal(names[0], day(nowMs - 30 * dayMs));
    assert.equal(names.at(-1), day(nowMs + 3 * dayMs));
  });
});
