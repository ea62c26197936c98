import assert from "node:assert/strict";
import { newId } from "../../src/base/new-id.ts";
import { firstIdAt } from "../../src/contract/message-id.ts";
import type { Database } from "../../src/database/database.ts";
import { claimMessages, maintainInbox, releaseMessages } from "../../src/events/inbox.ts";
import { eventually, testClock } from "../../src/testing.ts";
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
    await Promise.all([maintainInbox(database, testClock), maintainInbox(database, testClock)]);
    const rows = await database.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'inbox'::regclass ORDER BY 1`,
      [],
    );
    const names = rows.map(({ name }) => name);
    assert.equal(names.length, 35);
    assert.deepEqual(names, names.toSorted());
    assert.equal(names[0], day(nowMs - 30 * dayMs));
    assert.equal(names.at(-2), day(nowMs + 3 * dayMs));
    assert.equal(names.at(-1), "inbox_other_days");
  });

  it("moves ids of the future to the partition of their day when it comes", async () => {
    const comes = firstIdAt(Date.now() + 6 * dayMs);
    const later = firstIdAt(Date.now() + 60 * dayMs);
    assert.equal((await claim([comes, later])).size, 2);
    const inThreeDays = { nowMs: () => Date.now() + 3 * dayMs, earliestMs: () => Date.now() };
    await maintainInbox(database, inThreeDays);
    assert.equal((await claim([comes, later])).size, 0);
    const rows = await database.query<{ id: string; place: string }>(
      "SELECT message_id AS id, tableoid::regclass::text AS place FROM inbox WHERE message_id = ANY($1)",
      [[comes, later]],
    );
    const places = new Map(rows.map(({ id, place }) => [id, place]));
    assert.match(places.get(comes) ?? "", /^inbox_\d{4}_/);
    assert.equal(places.get(later), "inbox_other_days");
  });

  it("lets a message that arrives while its partition is attached try again", async () => {
    const id = firstIdAt(Date.now() + 7 * dayMs);
    const inFourDays = { nowMs: () => Date.now() + 4 * dayMs, earliestMs: () => Date.now() };
    const [begun, attached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = database.transaction(async ({ query }) => {
      await query("LOCK TABLE inbox_other_days IN ROW EXCLUSIVE MODE", []);
      begun.resolve();
      await attached.promise;
    });
    await begun.promise;
    const maintaining = maintainInbox(database, inFourDays);
    const waitsFor = (mode: string) =>
      eventually(`somebody waits for ${mode}`, async () => {
        const rows = await database.query(
          `SELECT FROM pg_locks WHERE relation = 'inbox_other_days'::regclass
           AND NOT granted AND mode = $1`,
          [mode],
        );
        return rows.length > 0 || undefined;
      });
    await waitsFor("AccessExclusiveLock");
    const claiming = claim([id]);
    await waitsFor("RowExclusiveLock");
    attached.resolve();
    await Promise.all([holding, maintaining]);
    assert.deepEqual([...(await claiming)], [id]);
    assert.equal((await claim([id])).size, 0);
  });

  it("forgets nothing because one clock is ahead", async () => {
    const id = newId();
    await claim([id]);
    const yearAhead = { nowMs: () => Date.now() + 365 * dayMs, earliestMs: () => Date.now() };
    await maintainInbox(database, yearAhead);
    assert.equal((await claim([id])).size, 0);
  });
});
