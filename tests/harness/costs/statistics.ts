import { Client } from "pg";

/** What has happened in a database so far; the WAL is that of its server. */
export type Statistics = {
  readonly inserted: number;
  readonly updated: number;
  readonly updatedHot: number;
  readonly deleted: number;
  readonly buffers: number;
  readonly walBytes: number;
  readonly walRecords: number;
};

/** Adds up what has happened in the databases of both services. */
export async function readStatistics(urls: {
  readonly orders: string;
  readonly payments: string;
}): Promise<Statistics> {
  const total: Record<string, number> = {};
  const add = (row: Readonly<Record<string, unknown>> | undefined) => {
    for (const [key, value] of Object.entries(row ?? {})) {
      total[key] = (total[key] ?? 0) + Number(value);
    }
  };
  for (const url of [urls.orders, urls.payments]) {
    const client = new Client({ connectionString: url });
    await client.connect();
    const tables = await client.query(
      `SELECT sum(n_tup_ins) AS inserted, sum(n_tup_upd) AS updated,
              sum(n_tup_hot_upd) AS "updatedHot", sum(n_tup_del) AS deleted
       FROM pg_stat_user_tables`,
    );
    const buffers = await client.query(
      "SELECT blks_hit + blks_read AS buffers FROM pg_stat_database WHERE datname = current_database()",
    );
    add(tables.rows[0]);
    add(buffers.rows[0]);
    await client.end();
  }
  const client = new Client({ connectionString: process.env.TEST_POSTGRES_URL });
  await client.connect();
  const wal = await client.query(
    `SELECT wal_bytes AS "walBytes", wal_records AS "walRecords" FROM pg_stat_wal`,
  );
  add(wal.rows[0]);
  await client.end();
  return total as Statistics;
}
