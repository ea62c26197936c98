import assert from "node:assert/strict";
import { retryQueueOf, topologyOf } from "@settle/chassis/contract/topology";
import {
  createTestBroker,
  createTestDatabase,
  type TestBroker,
  type TestDatabase,
} from "@settle/chassis/testing";
import amqp, { type Channel, type ChannelModel, type ConfirmChannel } from "amqplib";
import { Client } from "pg";
import { subscriptions } from "../../tools/provision/subscriptions.ts";
import { accessRefused, refusalOf } from "../harness/faults/broker-refusal.ts";
import type { ServiceName } from "../harness/system/system.ts";

const insufficientPrivilege = "42501";
const body = Buffer.from("x");
const pairs: readonly (readonly [own: ServiceName, other: ServiceName])[] = [
  ["payments", "orders"],
  ["orders", "payments"],
];

describe("on PostgreSQL", () => {
  const parts = new AsyncDisposableStack();
  let databases: Readonly<Record<ServiceName, TestDatabase>>;

  before(async () => {
    databases = {
      orders: parts.use(await createTestDatabase("orders")),
      payments: parts.use(await createTestDatabase("payments")),
    };
    for (const { url } of Object.values(databases)) {
      await connected(url, (client) => client.query("CREATE TABLE secrets (word text)"));
    }
  });
  after(() => parts.disposeAsync());

  for (const [own, other] of pairs) {
    /** Returns the error code that the role of `own` gets in a database, by default its own. */
    const refusalOf = (statement: string, database?: string) => {
      const url = new URL(databases[own].url);
      if (database !== undefined) url.pathname = `/${database}`;
      return connected(url.href, (client) => client.query(statement)).then(
        () => "none",
        (error: { code?: string }) => error.code,
      );
    };

    it(`${own} has its own database`, async () => {
      assert.equal(await refusalOf("SELECT * FROM secrets"), "none");
      assert.equal(await refusalOf("CREATE TABLE more (word text)"), "none");
    });

    it(`${own} cannot connect to the database of ${other}`, async () => {
      const name = nameIn(databases[other].url);
      assert.equal(await refusalOf("SELECT * FROM secrets", name), insufficientPrivilege);
      for (const statement of [
        `SET ROLE ${name}`,
        `SET SESSION AUTHORIZATION ${name}`,
        `GRANT ${name} TO CURRENT_USER`,
        `GRANT CONNECT ON DATABASE ${name} TO CURRENT_USER`,
        `ALTER ROLE ${name} PASSWORD 'mine'`,
        `ALTER DATABASE ${name} OWNER TO CURRENT_USER`,
        `DROP DATABASE ${name}`,
        `DROP ROLE ${name}`,
        `CREATE DATABASE stolen TEMPLATE ${name}`,
      ]) {
        assert.equal(await refusalOf(statement), insufficientPrivilege, statement);
      }
    });

    it(`${own} cannot see or end the sessions of ${other}`, async () => {
      await connected(databases[other].url, async (client) => {
        const { rows } = await client.query("SELECT pg_backend_pid() AS pid, 'a secret'");
        const seen = await connected(databases[own].url, (curious) =>
          curious.query("SELECT query FROM pg_stat_activity WHERE pid = $1", [rows[0].pid]),
        );
        assert.deepEqual(seen.rows, [{ query: "<insufficient privilege>" }]);
        for (const what of ["terminate", "cancel"]) {
          const refusal = await refusalOf(`SELECT pg_${what}_backend(${rows[0].pid})`);
          assert.equal(refusal, insufficientPrivilege, what);
        }
      });
    });

    it(`${own} cannot create roles or databases, nor reach the files of the server`, async () => {
      for (const statement of [
        "CREATE ROLE another",
        "CREATE DATABASE another",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER CREATEDB",
        "ALTER ROLE CURRENT_USER CREATEROLE",
        "ALTER SYSTEM SET fsync = off",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_ls_dir('.')",
        "SELECT rolpassword FROM pg_authid",
      ]) {
        assert.equal(await refusalOf(statement), insufficientPrivilege, statement);
      }
      // Every role may connect to this one, but not create anything in it.
      assert.equal(await refusalOf("CREATE TABLE x (y int)", "postgres"), insufficientPrivilege);
    });
  }
});

describe("on RabbitMQ", () => {
  const parts = new AsyncDisposableStack();
  let broker: TestBroker;
  const connections = new Map<ServiceName, ChannelModel>();

  before(async () => {
    broker = parts.use(await createTestBroker(subscriptions));
    for (const [own] of pairs) {
      const connection = await amqp.connect(broker.urlOf(own));
      parts.defer(() => connection.close());
      connections.set(own, connection);
    }
  });
  after(() => parts.disposeAsync());

  const openChannel = async (service: ServiceName): Promise<ConfirmChannel> => {
    const channel = await connections.get(service)?.createConfirmChannel();
    return channel ?? assert.fail(`${service} is not connected`);
  };
  const publish =
    (exchange: string, routingKey = "") =>
    (channel: ConfirmChannel) => {
      channel.publish(exchange, routingKey, body);
    };

  for (const [own, other] of pairs) {
    const mine = topologyOf(own);
    const theirs = topologyOf(other);
    const hints = () => `${mine.hints}.${crypto.randomUUID()}`;
    const declareHints = (channel: Channel, options: amqp.Options.AssertQueue = {}) =>
      channel.assertQueue(hints(), { exclusive: true, autoDelete: true, ...options });
    const assertRefused = async (
      attempts: Readonly<Record<string, (channel: ConfirmChannel) => unknown>>,
    ) => {
      for (const [what, work] of Object.entries(attempts)) {
        assert.equal(await refusalOf(await openChannel(own), work), accessRefused, what);
      }
    };

    it(`${own} has the rights that it needs`, async () => {
      const [type] = subscriptions[other][own] as [string];
      const channel = await openChannel(own);
      const receiver = await openChannel(other);
      const messageId = crypto.randomUUID();
      const arrival = messageOf(receiver, theirs.work, messageId);
      channel.publish(mine.events, type, body, { messageId, mandatory: true, persistent: true });
      assert.equal((await arrival).fields.routingKey, type);

      const { queue } = await declareHints(channel);
      await channel.bindQueue(queue, mine.hints, "");
      const hint = messageOf(channel, queue, messageId);
      channel.publish(mine.hints, "", body, { messageId });
      assert.equal((await hint).fields.exchange, mine.hints);

      const returned: unknown[] = [];
      channel.on("return", (message) => returned.push(message.fields));
      channel.publish(mine.retry, "1s", body, { mandatory: true });
      channel.publish(mine.deadLetter, "", body, { mandatory: true });
      await channel.waitForConfirms();
      assert.deepEqual(returned, []);
      await Promise.all([channel.close(), receiver.close()]);
    });

    it(`${own} cannot publish as ${other}, nor to other exchanges`, () =>
      assertRefused({
        "to the other's events": publish(theirs.events, "events.v1.Anything"),
        "to the other's hints": publish(theirs.hints),
        "to the other's retries": publish(theirs.retry, "1s"),
        "to the other's dead letters": publish(theirs.deadLetter),
        "back to the other's work": publish(theirs.requeue),
        "back to its own work": publish(mine.requeue),
        "to the other's queue by the default exchange": publish("", theirs.work),
        "to its own queue by the default exchange": publish("", mine.work),
        "to an exchange that every broker has": publish("amq.topic", "x"),
      }));

    it(`${own} cannot publish by dead-lettering from a queue of its own`, () =>
      assertRefused({
        "to the other's events": (channel) =>
          declareHints(channel, { deadLetterExchange: theirs.events }),
        "to a queue": (channel) =>
          declareHints(channel, { deadLetterExchange: "", deadLetterRoutingKey: theirs.work }),
      }));

    it(`${own} cannot read other queues`, () =>
      assertRefused({
        "the other's work": (channel) => channel.consume(theirs.work, () => {}),
        "one message of it": (channel) => channel.get(theirs.work),
        "the other's dead letters": (channel) => channel.consume(theirs.deadLetters, () => {}),
        "the other's retries": (channel) => channel.get(retryQueueOf(other, "1s")),
        "the other's work, to throw it away": (channel) => channel.purgeQueue(theirs.work),
        "the other's events": async (channel) =>
          channel.bindQueue((await declareHints(channel)).queue, theirs.events, "#"),
        "the other's hints": async (channel) =>
          channel.bindQueue((await declareHints(channel)).queue, theirs.hints, ""),
        "all messages of the broker": async (channel) =>
          channel.bindQueue((await declareHints(channel)).queue, "amq.rabbitmq.trace", "#"),
      }));

    it(`${own} cannot change the existing topology`, () =>
      assertRefused({
        "by an exchange": (channel) => channel.assertExchange(`${own}.more`, "topic"),
        "by an exchange of the other's": (channel) =>
          channel.assertExchange(theirs.events, "topic", { durable: true }),
        "by a queue": (channel) => channel.assertQueue(`${own}.more`),
        "by a queue that the broker names": (channel) =>
          channel.assertQueue("", { exclusive: true }),
        "by a queue of hints without a name of its own": (channel) =>
          channel.assertQueue(mine.hints),
        "by a queue of hints of the other": (channel) =>
          channel.assertQueue(`${theirs.hints}.x`, { exclusive: true }),
        "by deleting its own exchange": (channel) => channel.deleteExchange(mine.events),
        "by deleting the other's exchange": (channel) => channel.deleteExchange(theirs.events),
        "by deleting its own work": (channel) => channel.deleteQueue(mine.work),
        "by deleting the other's work": (channel) => channel.deleteQueue(theirs.work),
        "by sending its hints to the other's work": (channel) =>
          channel.bindQueue(theirs.work, mine.hints, ""),
        "by sending its hints to the other's events": (channel) =>
          channel.bindExchange(theirs.events, mine.hints, ""),
        "by taking its work away": (channel) => channel.unbindQueue(mine.work, theirs.events, "#"),
      }));

    it(`${own} has no rights anywhere else`, async () => {
      const url = new URL(broker.urlOf(own));
      url.pathname = "/%2F";
      await assert.rejects(amqp.connect(url.href), /ConnectionClose/);
      const management = new URL("/api/overview", process.env.TEST_RABBITMQ_MANAGEMENT_URL);
      const credentials = Buffer.from(`${url.username}:${url.password}`).toString("base64");
      management.username = "";
      management.password = "";
      const response = await fetch(management, {
        headers: { authorization: `Basic ${credentials}` },
      });
      assert.equal(response.status, 401);
    });
  }

  it("the provisioner can neither read nor publish messages, nor change users", async () => {
    const url = new URL(broker.urlOf("provisioner"));
    const connection = await amqp.connect(url.href);
    parts.defer(() => connection.close());
    const { events, work } = topologyOf("orders");
    const attempts: readonly ((channel: ConfirmChannel) => unknown)[] = [
      (channel) => channel.get(work),
      (channel) => channel.purgeQueue(work),
      publish(events),
      publish("", work),
      (channel) => channel.assertQueue("another"),
    ];
    for (const attempt of attempts) {
      const channel = await connection.createConfirmChannel();
      assert.equal(await refusalOf(channel, attempt), accessRefused, String(attempt));
    }
    const { origin } = new URL(process.env.TEST_RABBITMQ_MANAGEMENT_URL ?? "");
    const credentials = Buffer.from(`${url.username}:${url.password}`).toString("base64");
    for (const path of [`users/${url.username}`, "vhosts/another"]) {
      const response = await fetch(`${origin}/api/${path}`, {
        method: "PUT",
        headers: { authorization: `Basic ${credentials}`, "content-type": "application/json" },
        body: JSON.stringify({ password: "x", tags: "administrator" }),
      });
      assert.equal(response.status, 401, path);
    }
  });
});

/** Connects while `work` runs. */
async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** Consumes from the queue, acknowledges all messages, and resolves with the one with the id. */
function messageOf(channel: Channel, queue: string, id: string): Promise<amqp.ConsumeMessage> {
  return new Promise((resolve, reject) => {
    const take = (message: amqp.ConsumeMessage | null) => {
      if (!message) return reject(new Error(`the consumer of ${queue} was ended`));
      channel.ack(message);
      if (message.properties.messageId === id) resolve(message);
    };
    channel.consume(queue, take).catch(reject);
  });
}
