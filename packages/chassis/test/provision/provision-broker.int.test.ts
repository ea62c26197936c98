import assert from "node:assert/strict";
import amqp, { type ChannelModel, type ConfirmChannel } from "amqplib";
import { retryDelays, retryQueueOf, topologyOf } from "../../src/contract/topology.ts";
import { provisionBroker } from "../../src/provision/provision-broker.ts";
import { createTestBroker, eventually, limitQueue, type TestBroker } from "../../src/testing.ts";

const type = "test.v1.Event";
const archive = topologyOf("archive");
const till = topologyOf("till");

type Definition = Readonly<Record<string, string | number>>;

describe("the queues of a service", () => {
  let broker: TestBroker;
  let connection: ChannelModel;
  let channel: ConfirmChannel;

  before(async () => {
    broker = await createTestBroker(
      { shop: {}, till: { shop: [type] }, archive: { shop: [type] } },
      { notWaitedFor: ["archive"] },
    );
    connection = await amqp.connect(broker.adminUrl);
    channel = await connection.createConfirmChannel();
  });
  after(async () => {
    await connection?.close();
    await broker?.[Symbol.asyncDispose]();
  });

  /** What the broker applies to the queue. */
  const limitsOf = async (queue: string): Promise<Definition> => {
    const policies = (await broker.manage("GET", `policies/${broker.vhost}`)) as {
      readonly pattern: string;
      readonly definition: Definition;
    }[];
    const found = policies.filter(({ pattern }) => new RegExp(pattern).test(queue));
    assert.equal(found.length, 1, queue);
    return found[0]?.definition ?? {};
  };
  /** Makes `archive` a service that is waited for, or one that is not. */
  const provisionArchive = (isWaitedFor: boolean) => {
    const { origin, username, password } = new URL(
      process.env.TEST_RABBITMQ_MANAGEMENT_URL ?? assert.fail("run the tests with npm test"),
    );
    const { username: user, password: secret } = new URL(broker.urlOf("archive"));
    return provisionBroker({
      managementUrl: origin,
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      vhost: broker.vhost,
      services: [
        {
          name: "archive",
          user,
          password: secret,
          listensTo: { shop: [type] },
          isWaitedFor,
        },
      ],
    });
  };
  /** Publishes the ids one by one; returns how many of them were refused. */
  const publish = async (ids: readonly string[]): Promise<number> => {
    const outcomes: unknown[] = [];
    for (const messageId of ids) {
      const sent = (refusal: unknown) => outcomes.push(refusal);
      channel.publish(topologyOf("shop").events, type, Buffer.from("x"), { messageId }, sent);
      await channel.waitForConfirms().catch(() => {});
    }
    return outcomes.filter((refusal) => refusal !== null && refusal !== undefined).length;
  };
  const waiting = async (queue: string) => (await channel.checkQueue(queue)).messageCount;
  const idsIn = async (queue: string) => {
    const reading = await connection.createChannel();
    const ids: string[] = [];
    for (;;) {
      const message = await reading.get(queue);
      if (!message) break;
      ids.push(message.properties.messageId);
    }
    // Gives them all back.
    await reading.close();
    return ids;
  };

  it("refuse messages when they are full, if a publisher waits for it", async () => {
    for (const queue of [till.work, till.deadLetters]) {
      assert.equal((await limitsOf(queue)).overflow, "reject-publish");
    }
  });

  it("have a bound each and drop their oldest, if no publisher waits for it", async () => {
    for (const queue of [archive.work, archive.deadLetters]) {
      const limits = await limitsOf(queue);
      assert.equal(limits.overflow, "drop-head");
      assert.ok(Number(limits["max-length"]) > 0 && Number(limits["max-length-bytes"]) > 0, queue);
    }
    for (const { label } of retryDelays) {
      const limits = await limitsOf(retryQueueOf("archive", label));
      assert.ok(Number(limits["max-length"]) > 0 && Number(limits["max-length-bytes"]) > 0, label);
      // Or a message could be lost on its way back to work.
      assert.equal(limits["dead-letter-strategy"], "at-least-once");
      assert.equal(limits.overflow, "reject-publish");
    }
  });

  it("take what is new and keep as dead letters what they drop, up to their bound", async () => {
    await limitQueue(broker, archive.work, 2);
    await limitQueue(broker, archive.deadLetters, 3);
    assert.equal(await publish(["1", "2", "3", "4", "5", "6", "7"]), 0);
    await eventually("the rest is gone", async () => {
      const counts = [await waiting(archive.work), await waiting(archive.deadLetters)];
      return counts.join() === "2,3" || undefined;
    });
    assert.deepEqual(await idsIn(archive.work), ["6", "7"]);
    assert.deepEqual(await idsIn(archive.deadLetters), ["3", "4", "5"]);
  });

  it("bring a message back from a retry, though the work queue is full", async () => {
    channel.publish(archive.retry, "1s", Buffer.from("x"), { messageId: "retried" });
    await eventually("it is the newest in the work queue", async () =>
      (await idsIn(archive.work)).at(-1) === "retried" ? true : undefined,
    );
    assert.deepEqual(await idsIn(archive.work), ["7", "retried"]);
  });

  it("change as they are when publishers begin to wait for it, and back", async () => {
    await provisionArchive(true);
    await limitQueue(broker, archive.work, 2);
    await eventually("the full queue refuses", async () =>
      (await publish(["refused"])) === 1 ? true : undefined,
    );
    assert.deepEqual((await idsIn(archive.work)).slice(0, 2), ["7", "retried"]);
    await provisionArchive(false);
    await limitQueue(broker, archive.work, 2);
    // RabbitMQ goes on refusing on the channel on which the full queue has refused already.
    channel = await connection.createConfirmChannel();
    await eventually("the full queue drops", async () =>
      (await publish(["dropping"])) === 0 ? true : undefined,
    );
    assert.equal((await limitsOf(archive.deadLetters)).overflow, "drop-head");
  });

  it("come back when they were deleted, and nothing else changes", async () => {
    await publish(["kept"]);
    const kept = await idsIn(archive.work);
    await limitQueue(broker, archive.work, 7);
    const oneSecond = retryQueueOf("till", "1s");
    for (const path of [
      `queues/${broker.vhost}/${till.work}`,
      `queues/${broker.vhost}/${oneSecond}`,
      `policies/${broker.vhost}/${till.deadLetters}`,
      `exchanges/${broker.vhost}/${archive.deadLetter}`,
    ]) {
      await broker.manage("DELETE", path);
    }
    assert.deepEqual(await broker.restore(), [
      `exchange ${archive.deadLetter}`,
      `policy ${till.deadLetters}`,
      `queue ${till.work}`,
      `queue ${oneSecond}`,
      `binding ${till.requeue} -> ${till.work}`,
      `binding ${till.retry} -> ${oneSecond} by 1s`,
      `binding shop.events -> ${till.work} by ${type}`,
      `binding shop.events -> ${till.work} by ${type}.batch`,
      `binding ${archive.deadLetter} -> ${archive.deadLetters}`,
    ]);
    assert.deepEqual(await broker.restore(), []);
    await publish(["after"]);
    assert.deepEqual(await idsIn(till.work), ["after"]);
    assert.deepEqual(await idsIn(archive.work), [...kept, "after"]);
    assert.equal((await limitsOf(archive.work))["max-length"], 7);
    assert.equal((await limitsOf(till.deadLetters)).overflow, "reject-publish");
  });
});
