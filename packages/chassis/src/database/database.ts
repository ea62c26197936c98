import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Migrator } from "@mikro-orm/migrations";
import {
  type EntityManager,
  type EntitySchema,
  type MigrationObject,
  MikroORM,
} from "@mikro-orm/postgresql";
import { CompiledQuery, type Kysely } from "kysely";
import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Faults } from "../base/faults.ts";
import { connections } from "../metrics/metrics.ts";
import { readAtScrape } from "../metrics/registry.ts";
import { failureOf } from "./database-failure.ts";

const defaultLimits: DatabaseLimits = {
  readConnections: 6,
  writeConnections: 10,
  connectTimeoutMs: 3_000,
  maxSilenceMs: 15_000,
  lockTimeoutMs: 100,
};
const maxMigrationSilenceMs = 600_000;
const migrationLockTimeoutMs = 60_000;
// How many times a transaction is run in all, by the kind of failure.
const maxAttempts = {
  conflict: 5,
  unavailable: 3,
  busy: 1,
  locked: 1,
  slow: 1,
  refused: 1,
  unknown: 1,
};
// Any number will do, as long as every replica takes the same one.
const migrationLockKey = 7_305_010;

export type Row = Readonly<Record<string, unknown>>;

/** A transaction in progress. It ends when the function that received it returns or throws. */
export type Transaction = {
  /** When it began, on the monotonic clock; the database's `now()` inside it is not earlier. */
  readonly startedMs: number;
  /** Runs one statement with bound parameters; bigint and time columns arrive as strings. */
  query<R extends object = Row>(sql: string, parameters: readonly unknown[]): Promise<R[]>;
  /** Runs `effect` once the transaction has been committed, and only then. */
  afterCommit(effect: () => void): void;
  /** Runs `effect` if the transaction was not committed, or may not have been. */
  afterRollback(effect: () => void): void;
};

/**
 * A service's database, through two pools: one for reads, and one for everything that writes, so
 * that reads never keep a writer or a consumer waiting. If none of a pool's connections becomes
 * free in time, a call of it fails as `busy`; see {@link failureOf}.
 */
export type Database = AsyncDisposable & {
  /** Returns a new entity manager on the connections for reads; use one per request. */
  entities(): EntityManager;
  /** Runs one statement that only reads, on the connections for reads. */
  read<R extends object = Row>(sql: string, parameters: readonly unknown[]): Promise<R[]>;
  /** Runs one statement outside any transaction, on the connections for writes. */
  query<R extends object = Row>(sql: string, parameters: readonly unknown[]): Promise<R[]>;
  /**
   * Runs `work` in one READ COMMITTED transaction and returns its result after the commit. After a
   * conflict with another transaction or a lost connection, even during COMMIT, the whole
   * transaction is retried a limited number of times. A retry must therefore recognise what an
   * earlier run has committed (by inbox or idempotency key).
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Applies the missing migrations; if several processes start together, one at a time does so. */
  migrate(): Promise<void>;
};

/** Limits of the connections to a database. */
export type DatabaseLimits = {
  /** The most connections for reads. */
  readonly readConnections: number;
  /** The most connections for transactions and {@link Database.query}. */
  readonly writeConnections: number;
  /** How long to wait for a connection: to be opened, or for one of the pool to become free. */
  readonly connectTimeoutMs: number;
  /**
   * How long a connection may be silent before it is dropped. Longer than any statement may take:
   * such a connection is half open, which TCP would detect only after a quarter of an hour.
   */
  readonly maxSilenceMs: number;
  /**
   * How long a statement waits for a lock. Longer than another replica holds one, and short, because
   * a whole batch waits with it.
   */
  readonly lockTimeoutMs: number;
};

/** Opens a service's own database through MikroORM. It connects on first use. */
export function createDatabase(options: {
  readonly url: string;
  readonly name: string;
  readonly entities: readonly EntitySchema[];
  readonly migrations: readonly MigrationObject[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
  readonly limits?: Partial<DatabaseLimits>;
}): Database {
  const { url, name, clock, log, faults } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const pools = new Map<string, Pool>();
  const reading = readAtScrape(() => {
    for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
      connections.set({ pool, state: "used" }, totalCount - idleCount);
      connections.set({ pool, state: "idle" }, idleCount);
      connections.set({ pool, state: "waiting" }, waitingCount);
    }
  });
  const poolOf = (kind: "read" | "write", max: number, silenceMs: number, poolName = name) => ({
    // Those of migrations come before the others.
    onPoolCreated: (pool: Pool) => pools.set(kind, pool),
    max,
    application_name: poolName,
    connectionTimeoutMillis: limits.connectTimeoutMs,
    lock_timeout: limits.lockTimeoutMs,
    stream: () => socketThatEnds(silenceMs),
  });
  const open = (silenceMs: number) =>
    new MikroORM({
      clientUrl: url,
      entities: [...options.entities],
      extensions: [Migrator],
      migrations: { migrationsList: [...options.migrations], snapshot: false },
      driverOptions: poolOf("write", limits.writeConnections, silenceMs),
      // To the ORM, a second pool on the same server is a replica.
      replicas: [
        { driverOptions: poolOf("read", limits.readConnections, silenceMs, `${name}-reads`) },
      ],
      logger: (message) => log.debug({ orm: message }, "database"),
    });
  const orm = open(limits.maxSilenceMs);

  const pool = (type: "read" | "write") => orm.em.getKysely({ type });

  // Not em.begin() and em.rollback(): they leak the pooled connection if it is lost meanwhile.
  const attempt = async <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> => {
    const committed: (() => void)[] = [];
    const rolledBack: (() => void)[] = [];
    const startedMs = clock.monotonicMs();
    try {
      const result = await pool("write")
        .transaction()
        .execute(async (connection) => {
          const outcome = await work({
            startedMs,
            query: (sql, parameters) => run(connection, sql, parameters),
            afterCommit: (effect) => committed.push(effect),
            afterRollback: (effect) => rolledBack.push(effect),
          });
          faults.reach("transaction.before-commit");
          return outcome;
        });
      faults.reach("transaction.after-commit");
      for (const effect of committed) effect();
      return result;
    } catch (error) {
      for (const effect of rolledBack) effect();
      throw error;
    }
  };

  return {
    entities: () => orm.em.fork(),
    read: (sql, parameters) => run(pool("read"), sql, parameters),
    query: (sql, parameters) => run(pool("write"), sql, parameters),
    async transaction(work) {
      for (let tried = 1; ; tried += 1) {
        try {
          return await attempt(work);
        } catch (error) {
          const failure = failureOf(error);
          if (tried >= maxAttempts[failure]) throw error;
          log.debug({ err: error, tried }, "a transaction is retried");
          await pause((failure === "conflict" ? 5 : 100) * tried * (0.5 + Math.random()));
        }
      }
    },
    async migrate() {
      await using migrating = new AsyncDisposableStack();
      const migrator = migrating.adopt(open(maxMigrationSilenceMs), (opened) => opened.close(true));
      await migrator.em.fork().transactional(async (em) => {
        const query = (sql: string, parameters: readonly unknown[] = []) =>
          run(em.getKysely(), sql, parameters);
        await query(`SET LOCAL lock_timeout = ${migrationLockTimeoutMs}`);
        await query("SET LOCAL statement_timeout = 0");
        await query("SELECT pg_advisory_xact_lock($1)", [migrationLockKey]);
        const transaction = em.getTransactionContext();
        const applied = await migrator.migrator.up(transaction ? { transaction } : {});
        faults.reach("migration.before-commit");
        for (const migration of applied) log.info({ migration: migration.name }, "migrated");
      });
    },
    async [Symbol.asyncDispose]() {
      reading[Symbol.dispose]();
      await orm.close(true);
    },
  };
}

async function run<R extends object>(
  connection: Pick<Kysely<unknown>, "executeQuery">,
  sql: string,
  parameters: readonly unknown[],
): Promise<R[]> {
  const result = await connection.executeQuery(CompiledQuery.raw(sql, [...parameters]));
  return result.rows as R[];
}

function socketThatEnds(silenceMs: number): Socket {
  const socket = new Socket();
  socket.setKeepAlive(true);
  socket.setTimeout(silenceMs, () =>
    socket.destroy(new Error("Connection terminated: the database does not respond")),
  );
  return socket;
}
