import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier } from "pg";
import { pino } from "pino";
import { createCheckedClock, systemClock } from "./base/clock.ts";
import type { Database } from "./database/database.ts";
import { type BrokerService, provisionBroker } from "./provision/provision-broker.ts";
import { provisionDatabase } from "./provision/provision-database.ts";
import { restoreBroker } from "./provision/restore-broker.ts";

/** The log of tests: silent by default; with TEST_LOG=debug, everything goes to standard error. */
export const testLog = pino(
  { level: process.env.TEST_LOG ?? "silent" },
  pino.destination({ dest: 2, sync: true }),
);

/** The clock of tests: that of this machine, as services use it. */
export const testClock = createCheckedClock({ machine: systemClock, log: testLog });

/** A separate database on the PostgreSQL of the test run, dropped when disposed. */
export type TestDatabase = AsyncDisposable & { readonly url: string };

/**
 * Creates a database with a role of minimal privileges, as for a service, on the server of the
 * superuser in `adminUrl`; by default that of the test run.
 */
export async function createTestDatabase(
  service: string,
  adminUrl: string = fromRun("TEST_POSTGRES_URL"),
): Promise<TestDatabase> {
  const name = uniqueName(service);
  const password = randomBytes(12).toString("hex");
  await provisionDatabase({ adminUrl, name, password });
  const url = new URL(adminUrl);
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      await using admin = await connectAdmin(adminUrl);
      await admin.client.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
      await admin.client.query(`DROP ROLE ${escapeIdentifier(name)}`);
    },
  };
}

/** A separate virtual host on the RabbitMQ of the test run, deleted when disposed. */
export type TestBroker = AsyncDisposable & {
  readonly vhost: string;
  /** Returns the URL of the broker with the user of `service`, or that of the `provisioner`. */
  urlOf(service: string): string;
  /** The URL of the broker with its administrator. */
  readonly adminUrl: string;
  /** Creates what is missing, as the provisioner does, and returns it. */
  restore(): Promise<readonly string[]>;
  /** Calls the management API; `path` follows `/api/`. Resolves with the parsed answer, if any. */
  manage(method: string, path: string, body?: unknown): Promise<unknown>;
};

/** A database that counts its transactions and their statements. */
export type CountedDatabase = Database & {
  /** The number of statements of each transaction so far, without BEGIN and COMMIT. */
  readonly statements: readonly number[];
};

/** Counts the statements of each {@link Database.transaction} of `database`. */
export function countStatements(database: Database): CountedDatabase {
  const statements: number[] = [];
  return {
    ...database,
    statements,
    transaction: (work) =>
      database.transaction((transaction) => {
        const nth = statements.push(0) - 1;
        return work({
          ...transaction,
          query: (sql, parameters) => {
            statements[nth] = (statements[nth] ?? 0) + 1;
            return transaction.query(sql, parameters);
          },
        });
      }),
  };
}

/** How to reach a RabbitMQ as its administrator; both URLs carry the credentials. */
export type BrokerServer = { readonly amqpUrl: string; readonly managementUrl: string };

/**
 * Creates a virtual host on `server` with everything that the services own there and a user for
 * each service; by default on the server of the test run. Publishers wait for every service that
 * `notWaitedFor` does not name.
 */
export async function createTestBroker(
  listensTo: Readonly<Record<string, BrokerService["listensTo"]>>,
  options: {
    readonly server?: BrokerServer | undefined;
    readonly notWaitedFor?: readonly string[];
  } = {},
): Promise<TestBroker> {
  const { notWaitedFor = [] } = options;
  const server = options.server ?? {
    amqpUrl: fromRun("TEST_AMQP_URL"),
    managementUrl: fromRun("TEST_RABBITMQ_MANAGEMENT_URL"),
  };
  const management = new URL(server.managementUrl);
  const { username: user, password } = management;
  management.username = "";
  management.password = "";
  const vhost = uniqueName("settle");
  const services = Object.entries(listensTo).map(([name, events]) => ({
    name,
    user: `${vhost}-${name}`,
    password: randomBytes(12).toString("hex"),
    listensTo: events,
    isWaitedFor: !notWaitedFor.includes(name),
  }));
  const managementUrl = management.href;
  const provisioner = {
    user: `${vhost}-provisioner`,
    password: randomBytes(12).toString("hex"),
  };
  await provisionBroker({ managementUrl, user, password, vhost, services, provisioner });

  const urlAs = (name: string, secret: string) => {
    const url = new URL(server.amqpUrl);
    url.username = name;
    url.password = secret;
    url.pathname = `/${vhost}`;
    return url.href;
  };
  const manage = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(`/api/${path}`, managementUrl), {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  return {
    vhost,
    manage,
    adminUrl: urlAs(user, password),
    restore: () => restoreBroker({ managementUrl, ...provisioner, vhost, services }),
    urlOf(service) {
      if (service === "provisioner") return urlAs(provisioner.user, provisioner.password);
      const found = services.find(({ name }) => name === service);
      if (!found) throw new Error(`no service ${service} on this test broker`);
      return urlAs(found.user, found.password);
    },
    async [Symbol.asyncDispose]() {
      await manage("DELETE", `vhosts/${vhost}`);
      for (const one of [...services, provisioner]) await manage("DELETE", `users/${one.user}`);
    },
  };
}

/** Gives `queue` room for `maxLength` messages and otherwise leaves its policy as it is. */
export async function limitQueue(
  { manage, vhost }: TestBroker,
  queue: string,
  maxLength: number,
): Promise<void> {
  const path = `policies/${vhost}/${queue}`;
  const policy = (await manage("GET", path)) as { readonly definition: Record<string, unknown> };
  const definition = { ...policy.definition, "max-length": maxLength };
  await manage("PUT", path, { ...policy, definition });
}

const pollIntervalMs = 50;

/**
 * Polls `look` until it returns something other than undefined, and resolves with that. Throws
 * after `timeoutMs`, by default 30 seconds. For effects of another process that it cannot announce.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadlineMs) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
  }
}

async function connectAdmin(adminUrl: string) {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(4).toString("hex")}`;
}

function fromRun(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`${variable} is not set: run the tests with npm test`);
}
