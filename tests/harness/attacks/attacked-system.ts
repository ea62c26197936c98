import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Pool, types } from "pg";
import { perService } from "../../../services/services.ts";
import type { Issuer } from "../../../tools/dev-issuer/issuer.ts";
import type { Nursery, SpawnOptions } from "../../../tools/local/process/nursery.ts";
import { startScratchStack } from "../../../tools/local/scratch-stack.ts";
import { readSecret } from "../../../tools/local/secrets.ts";
import { provisionQueues, vhost } from "../../../tools/provision/provision.ts";
import type { OperatorTarget } from "./attack.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const skewedClock = new URL("./skewed-clock.mjs", import.meta.url).href;

/** A system under attack: what attacks need of it, and how it is observed. */
export type AttackedSystem = Omit<OperatorTarget, "users" | "address" | "mark"> & {
  readonly issuer: Issuer;
  /** The URL of the virtual host, with an administrator's credentials. */
  readonly adminUrl: string;
  /** The ids of the processes that run now, by name. */
  pids(): ReadonlyMap<string, number>;
};

/**
 * Starts the whole system as `npm start` does, fully durable, on ports and data of its own. Disposing
 * stops it and removes its data.
 */
export async function startAttackedSystem(options: {
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): Promise<AttackedSystem & AsyncDisposable> {
  const { signal, log } = options;
  await using starting = new AsyncDisposableStack();
  let nursery: Nursery | undefined;
  let clockFile = "";
  const stack = starting.use(
    await startScratchStack({
      root,
      prefix: "attack-",
      // Not in the system's temporary folder, which may be in memory.
      parent: join(root, ".data"),
      page: false,
      wrap(started) {
        nursery = started;
        return withSkewedClock(started, () => clockFile);
      },
      signal,
      report: (name, state, detail) => log(`${name}: ${state}${detail && ` (${detail})`}`),
    }),
  );
  const { folder, ports, issuer, amqpUrl } = stack;
  clockFile = join(folder, "clock-ahead");
  const pids = () => nursery?.pids() ?? new Map<string, number>();
  const superuser = `postgres:${readSecret(join(folder, "postgres/superuser-password"))}`;
  const poolOf = (name: string) => {
    const pool = new Pool({
      connectionString: `postgres://${superuser}@127.0.0.1:${ports.postgres}/${name}`,
      max: 2,
      types: { getTypeParser },
    });
    // A connection breaks when PostgreSQL is killed; the next use opens a new one.
    pool.on("error", () => {});
    return starting.adopt(pool, () => pool.end());
  };
  const databases = { orders: poolOf("orders"), payments: poolOf("payments") };
  const { username, password } = new URL(amqpUrl);
  const managementUrl = `http://${username}:${password}@127.0.0.1:${ports.management}`;
  const running = starting.move();
  return {
    port: ports.edge,
    issuer,
    databases,
    adminUrl: amqpUrl,
    vhost,
    pids,
    manage: (method, path, body) => manage(managementUrl, method, path, body),
    kill(name) {
      const pid = pids().get(name);
      if (pid === undefined) throw new Error(`there is no process ${name}`);
      // Its process group: RabbitMQ's process is a script that waits for the server.
      try {
        return process.kill(-pid, "SIGKILL");
      } catch {
        return false;
      }
    },
    setClockAhead: (aheadMs) => writeFileSync(clockFile, String(aheadMs)),
    provisionQueues: () =>
      provisionQueues(
        managementUrl,
        perService((name) => readSecret(join(folder, "passwords", name))),
      ),
    countLogLines: (name) =>
      readFileSync(join(folder, "logs", `${name}.log`), "utf8").split("\n").length - 1,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/**
 * The variables of a service whose clock is ahead by the milliseconds in a file. `nodeOptions` are
 * those that it has anyway.
 */
export function skewedBy(clockFile: string, nodeOptions = ""): Readonly<Record<string, string>> {
  const options = `${nodeOptions} --import ${skewedClock}`.trim();
  return { NODE_OPTIONS: options, CLOCK_AHEAD_FILE: clockFile };
}

/** Calls RabbitMQ's management API; resolves with the parsed answer, if any. */
async function manage(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const { username, password, origin } = new URL(url);
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const answer = await fetch(`${origin}/api/${path}`, {
    method,
    headers: { authorization: `Basic ${basic}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

function withSkewedClock(nursery: Nursery, clockFile: () => string): Nursery {
  const envOf = ({ name, env }: SpawnOptions) =>
    name === "orders" ? { ...env, ...skewedBy(clockFile(), env.NODE_OPTIONS) } : env;
  return {
    spawn: (options) => nursery.spawn({ ...options, env: envOf(options) }),
    pids: () => nursery.pids(),
    [Symbol.asyncDispose]: () => nursery[Symbol.asyncDispose](),
  };
}

function getTypeParser(oid: number) {
  return oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid);
}
