import assert from "node:assert/strict";
import { topologyOf } from "@settle/chassis/contract/topology";
import { createTestBroker, eventually, type TestBroker } from "@settle/chassis/testing";
import {
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import amqp, { type ConfirmChannel } from "amqplib";
import { subscriptions } from "../../tools/provision/subscriptions.ts";
import { accessRefused, refusalOf } from "../harness/faults/broker-refusal.ts";
import { runListener } from "../harness/listeners/listener-command.ts";

const body = Buffer.from("x");
const { typeName: resultType } = PaymentResultEventSchema;
const { typeName: refundedType } = PaymentRefundedEventSchema;

describe("a listener of another team", () => {
  // Users are shared by all virtual hosts, so the name must be unique.
  let name: string;
  let url: string;
  let broker: TestBroker;
  const parts = new AsyncDisposableStack();

  before(async () => {
    broker = parts.use(await createTestBroker(subscriptions));
    name = broker.vhost.replace("_", "-");
    ({ stdout: url } = await runListener(broker, [name, resultType]));
    url = url.trim();
  });
  after(() => parts.disposeAsync());

  const connect = async (stack: AsyncDisposableStack, as: string) => {
    const connection = await amqp.connect(as);
    stack.defer(() => connection.close());
    return connection;
  };
  const publish = async (routingKey: string, messageId: string) => {
    await using stack = new AsyncDisposableStack();
    const connection = await connect(stack, broker.urlOf("payments"));
    const channel = await connection.createConfirmChannel();
    channel.publish(topologyOf("payments").events, routingKey, body, { messageId });
    await channel.waitForConfirms();
  };
  const policyOf = async (queue: string) =>
    (await broker.manage("GET", `policies/${broker.vhost}/${queue}`)) as {
      readonly pattern: string;
      readonly definition: Readonly<Record<string, unknown>>;
    };
  const take = (channel: ConfirmChannel, queue: string) =>
    eventually(
      `there is a message in ${queue}`,
      async () => (await channel.get(queue)) || undefined,
    );

  it("gets the events that it subscribed to, and finds rejected ones in its dead letters", async () => {
    await using stack = new AsyncDisposableStack();
    const channel = await (await connect(stack, url)).createConfirmChannel();
    const { work, deadLetters } = topologyOf(name);
    await publish(refundedType, "not asked for");
    await publish(resultType, "asked for");
    const message = await take(channel, work);
    assert.equal(message.properties.messageId, "asked for");
    channel.nack(message, false, false);
    const letter = await take(channel, deadLetters);
    assert.equal(letter.properties.messageId, "asked for");
    channel.ack(letter);
    assert.equal((await channel.checkQueue(work)).messageCount, 0);
  });

  it("can do nothing else", async () => {
    await using stack = new AsyncDisposableStack();
    const connection = await connect(stack, url);
    const { work, deadLetter } = topologyOf(name);
    const { events, work: theirWork, deadLetters } = topologyOf("orders");
    for (const [what, attempt] of Object.entries({
      "publish an event": (channel) => channel.publish(events, resultType, body),
      "publish to a queue": (channel) => channel.publish("", theirWork, body),
      "publish to its own queue": (channel) => channel.publish("", work, body),
      "publish a dead letter": (channel) => channel.publish(deadLetter, "", body),
      "read the work of a service": (channel) => channel.get(theirWork),
      "read the dead letters of a service": (channel) => channel.get(deadLetters),
      "listen to more": (channel) => channel.bindQueue(work, events, "#"),
      "declare a queue": (channel) => channel.assertQueue("", { exclusive: true }),
      "declare an exchange": (channel) => channel.assertExchange(`${name}.more`, "topic"),
      "delete its queue": (channel) => channel.deleteQueue(work),
    } satisfies Record<string, (channel: ConfirmChannel) => unknown>)) {
      const channel = await connection.createConfirmChannel();
      assert.equal(await refusalOf(channel, attempt), accessRefused, what);
    }
  });

  it("has queues of limited length", async () => {
    const { work, deadLetters } = topologyOf(name);
    for (const queue of [work, deadLetters]) {
      const { pattern, definition } = await policyOf(queue);
      assert.match(queue, new RegExp(pattern));
      assert.equal(definition.overflow, "drop-head");
      assert.ok(Number(definition["max-length"]) > 0);
      assert.ok(Number(definition["max-length-bytes"]) > 0);
    }
    const [limits] = (await broker.manage("GET", `user-limits/${name}`)) as {
      readonly value: Readonly<Record<string, number>>;
    }[];
    const { "max-connections": maxConnections = 0, "max-channels": maxChannels = 0 } =
      limits?.value ?? {};
    assert.ok(maxConnections > 0 && maxChannels > 0);
    await using stack = new AsyncDisposableStack();
    await Promise.all(Array.from({ length: maxConnections }, () => connect(stack, url)));
    // The broker counts a connection a moment after it is open.
    await eventually("a further connection is refused", () =>
      connect(stack, url).then(
        () => undefined,
        ({ message }) => message.includes("ConnectionClose") || undefined,
      ),
    );
  });

  it("never blocks a publisher: a full queue drops messages to the dead letters", async () => {
    const { work, deadLetters } = topologyOf(name);
    await using stack = new AsyncDisposableStack();
    const channel = await (await connect(stack, url)).createConfirmChannel();
    await publish(resultType, "rejected");
    channel.nack(await take(channel, work), false, false);
    await eventually("it is a dead letter", async () =>
      (await channel.checkQueue(deadLetters)).messageCount === 1 ? true : undefined,
    );
    for (const queue of [work, deadLetters]) {
      const { definition, ...policy } = await policyOf(queue);
      const path = `policies/${broker.vhost}/${queue}`;
      await broker.manage("PUT", path, {
        ...policy,
        definition: { ...definition, "max-length": 1 },
      });
    }
    await publish(resultType, "oldest");
    await publish(resultType, "newest");
    await eventually("the work queue has dropped one", async () =>
      (await channel.checkQueue(work)).messageCount === 1 ? true : undefined,
    );
    // It has replaced the rejected message.
    await eventually("the oldest is the only dead letter", async () => {
      const letter = await take(channel, deadLetters);
      channel.nack(letter);
      const { messageCount } = await channel.checkQueue(deadLetters);
      return letter.properties.messageId === "oldest" && messageCount <= 1 ? true : undefined;
    });
    const { properties } = await take(channel, work);
    assert.equal(properties.messageId, "newest");
  });

  it("can get more events and another password, and be removed", async () => {
    await runListener(broker, [name, OrderCreatedEventSchema.typeName]);
    const queue = `queues/${broker.vhost}/${topologyOf(name).work}`;
    const bound = async () => {
      const bindings = (await broker.manage("GET", `${queue}/bindings`)) as {
        source: string;
        routing_key: string;
      }[];
      const ofEvents = bindings.filter(({ source }) => source !== "");
      return ofEvents.map((b) => [b.source, b.routing_key].join()).toSorted();
    };
    const both = [
      "orders.events,events.v1.OrderCreatedEvent",
      "payments.events,events.v1.PaymentResultEvent",
    ].flatMap((alone) => [alone, `${alone}.batch`]);
    assert.deepEqual(await bound(), both);
    // It turns out that it cannot read batches of one of them.
    const { stdout } = await runListener(broker, [name, resultType, "--alone"]);
    assert.notEqual(stdout.trim(), url);
    await assert.rejects(amqp.connect(url), /ACCESS.REFUSED/);
    assert.deepEqual(await bound(), both.slice(0, 3));
    // The state after an interrupted removal.
    await broker.manage("DELETE", queue);
    await runListener(broker, ["--remove", name]);
    await assert.rejects(runListener(broker, ["--remove", name]), /there is no listener/);
    await assert.rejects(amqp.connect(stdout.trim()), /ACCESS.REFUSED/);
    await assert.rejects(broker.manage("GET", queue), /404/);
  });

  it("neither replaces nor removes another user", async () => {
    const { username } = new URL(broker.adminUrl);
    const other = `${name}-other`;
    parts.defer(async () => void (await broker.manage("DELETE", `users/${other}`)));
    // The state of a listener of another virtual host.
    const tags = `monitoring,settle-listener-${broker.vhost}-2`;
    await broker.manage("PUT", `users/${other}`, { password: "theirs", tags });
    const theirs = await broker.manage("GET", `users/${other}`);
    await Promise.all(
      [
        [other, resultType],
        ["--remove", other],
        [username, resultType],
      ].map((args) =>
        assert.rejects(runListener(broker, args), /is not a listener of the virtual host/),
      ),
    );
    assert.deepEqual(await broker.manage("GET", `users/${other}`), theirs);
    const queue = `queues/${broker.vhost}/${topologyOf(other).work}`;
    await assert.rejects(broker.manage("GET", queue), /404/);
  });
});
