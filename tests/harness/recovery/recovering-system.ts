import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { Pool } from "pg";
import { createEdgeClient } from "../../../bench/edge-client.ts";
import { createLoad, type Load } from "../../../bench/load.ts";
import { serviceNames } from "../../../services/services.ts";
import type { Nursery, SpawnOptions } from "../../../tools/local/process/nursery.ts";
import { startScratchStack } from "../../../tools/local/scratch-stack.ts";
import { readSecret } from "../../../tools/local/secrets.ts";
import { type Link, openLink } from "../system/link.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const accounts = 100;

/** The variables with the servers of a service. */
const serverVariables = ["DATABASE_URL", "AMQP_URL"] as const;

/** The name of a process, as in its log file. */
export type Process = "orders" | "payments" | "postgres" | "rabbitmq";

/** A system as `npm start` runs it, whose processes and connections can be broken. */
export type RecoveringSystem = AsyncDisposable & {
  readonly load: Load;
  /** Kills a process, which its supervisor starts again. */
  kill(process: Process): void;
  /** Kills a process and keeps it away until the function that is returned is called. */
  takeAway(process: Process): () => void;
  /** Resolves when the part of that process is ready again. */
  ready(process: Process): Promise<void>;
  /** The connections of a service to its database or to the broker. */
  linkOf(service: "orders" | "payments", to: (typeof serverVariables)[number]): Link;
  /** Whether the order is paid; false also while the database is away. */
  isPaid(orderId: string): Promise<boolean>;
  /** How many orders have been waiting for longer than that; undefined while the database is away. */
  countWaiting(longerThanMs: number): Promise<number | undefined>;
};

/** Starts the system, with accounts that can pay. */
export async function startRecoveringSystem(options: {
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): Promise<RecoveringSystem> {
  const { signal, log } = options;
  await using starting = new AsyncDisposableStack();
  const links = new Map<string, Link>();
  const gates = new Map<string, Promise<void>>();
  const readyListeners = new Map<string, () => void>();
  let nursery: Nursery | undefined;

  /** Leads the connections of a service through links, which stay when it starts again. */
  const throughLinks = async (name: string, env: NodeJS.ProcessEnv) => {
    const changed = { ...env };
    for (const variable of serverVariables) {
      const key = `${name} ${variable}`;
      const link = links.get(key) ?? starting.use(await openLink(env[variable] ?? ""));
      links.set(key, link);
      changed[variable] = link.url;
    }
    return changed;
  };
  const wrap = (inner: Nursery): Nursery => {
    nursery = inner;
    return {
      ...inner,
      async spawn(spawned: SpawnOptions) {
        await gates.get(spawned.name);
        const isService = serviceNames.some((service) => service === spawned.name);
        const env = isService ? await throughLinks(spawned.name, spawned.env) : spawned.env;
        return inner.spawn({ ...spawned, env });
      },
    };
  };
  const { folder, ports, issuer } = starting.use(
    await startScratchStack({
      root,
      prefix: "recovery-",
      parent: join(root, ".data"),
      page: false,
      wrap,
      signal,
      report(name, state, detail) {
        log(`${name}: ${state}${detail && ` (${detail})`}`);
        if (state === "ready") readyListeners.get(partOf(name))?.();
      },
    }),
  );

  const superuser = `postgres:${readSecret(join(folder, "postgres/superuser-password"))}`;
  const connectionString = `postgres://${superuser}@127.0.0.1:${ports.postgres}/orders`;
  const pool = starting.adopt(new Pool({ connectionString, max: 2 }), (opened) => opened.end());
  pool.on("error", () => {});
  const edge = starting.use(createEdgeClient(ports.edge));
  const load = createLoad({ edge, issuer, accounts });
  await load.createAccounts();
  const kill = (name: Process) => {
    const pid = nursery?.pids().get(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    process.kill(pid, "SIGKILL");
  };
  const running = starting.move();
  return {
    load,
    kill,
    takeAway(name) {
      const gate = Promise.withResolvers<void>();
      gates.set(name, gate.promise);
      kill(name);
      return () => {
        gates.delete(name);
        gate.resolve();
      };
    },
    ready: (name) => new Promise((resolve) => readyListeners.set(name, resolve)),
    linkOf(service, to) {
      const link = links.get(`${service} ${to}`);
      if (!link) throw new Error(`${service} has no link`);
      return link;
    },
    async isPaid(orderId) {
      const found = await pool
        .query("SELECT FROM orders WHERE id = $1 AND status = $2", [orderId, OrderStatus.PAID])
        .catch(() => undefined);
      return (found?.rowCount ?? 0) > 0;
    },
    async countWaiting(longerThanMs) {
      const found = await pool
        .query<{ count: number }>(
          `SELECT count(*)::int AS count FROM orders
           WHERE status = $1 AND create_time < now() - $2 * interval '1 millisecond'`,
          [OrderStatus.PENDING_PAYMENT, longerThanMs],
        )
        .catch(() => undefined);
      return found?.rows[0]?.count;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The process of a part, by the name of the part on the board. */
function partOf(name: string): string {
  return { PostgreSQL: "postgres", RabbitMQ: "rabbitmq" }[name] ?? name;
}
