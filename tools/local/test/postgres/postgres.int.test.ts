import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { findFreePorts } from "../../ports.ts";
import { dropPostgresData, startPostgres } from "../../postgres/postgres.ts";
import { startNursery } from "../../process/nursery.ts";

describe("the local PostgreSQL", () => {
  let folder: string;
  let dataDir: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-postgres-"));
    chmodSync(folder, 0o755);
    dataDir = join(folder, "postgres");
  });
  afterEach(() => {
    dropPostgresData(dataDir);
    rmSync(folder, { recursive: true });
  });

  async function query(url: string, sql: string): Promise<unknown> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query({ text: sql, rowMode: "array" })).rows[0];
    } finally {
      await client.end();
    }
  }

  it("keeps committed data after a kill, also if another process has its pid", async () => {
    await using nursery = await startNursery({ folder });
    const [port] = (await findFreePorts(1)) as [number];
    const first = await startPostgres({ nursery, dataDir, port });
    await query(first.adminUrl, "CREATE TABLE kept AS SELECT 1 AS one");
    process.kill(first.child.pid, "SIGKILL");
    await first.child.exited;
    await first[Symbol.asyncDispose]();
    const lock = join(dataDir, "cluster/postmaster.pid");
    const [, ...rest] = readFileSync(lock, "utf8").split("\n");
    writeFileSync(lock, [process.pid, ...rest].join("\n"));

    await using second = await startPostgres({ nursery, dataDir, port });
    assert.equal(second.adminUrl, first.adminUrl);
    assert.deepEqual(await query(second.adminUrl, "SELECT one FROM kept"), [1]);
  });

  it("is durable, checks its pages, and does not expose its password", async () => {
    await using nursery = await startNursery({ folder });
    const [port] = (await findFreePorts(1)) as [number];
    await using postgres = await startPostgres({ nursery, dataDir, port });
    const settings = ["fsync", "synchronous_commit", "full_page_writes", "data_checksums"];
    const sql = `SELECT ${settings.map((name) => `current_setting('${name}')`).join(", ")}`;
    assert.deepEqual(await query(postgres.adminUrl, sql), ["on", "on", "on", "on"]);
    assert.equal(statSync(join(dataDir, "superuser-password")).mode & 0o777, 0o600);
  });
});
