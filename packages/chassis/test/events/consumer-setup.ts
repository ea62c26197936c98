import { create, toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import amqp from "amqplib";
import type { CheckedClock } from "../../src/base/clock.ts";
import { noFaults } from "../../src/base/faults.ts";
import { newId } from "../../src/base/new-id.ts";
import { createBroker, type Delivery } from "../../src/broker/broker.ts";
import { retryDelays, topologyOf } from "../../src/contract/topology.ts";
import type { Database } from "../../src/database/database.ts";
import { createConsumer, type MessageHandler } from "../../src/events/consumer.ts";
import { createTestBroker, eventually, testClock, testLog } from "../../src/testing.ts";
import { setupDatabase } from "../database/chassis-database.ts";

export const eventType = OrderCreatedEventSchema.typeName;
const topology = topologyOf("receiver");

/** A message as a test publishes it; what is left out is as it should be. */
export type Sent = {
  readonly messageId?: string | undefined;
  readonly type?: string | undefined;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, unknown>>;
};

type Handler = MessageHandler<typeof OrderCreatedEventSchema>;

/** The encoded event of an order of `userId`. */
export function eventOf(userId: string, orderId = newId()): Uint8Array {
  const amount = { minorUnits: 1n, currency: "EUR" };
  const order = { orderId, userId, amount, createTime: timestampNow() };
  return toBinary(OrderCreatedEventSchema, create(OrderCreatedEventSchema, order));
}

/** Counts, in the database, how often each message has taken effect. */
export const countEffects: Handler = async (transaction, messages) => {
  await transaction.query(
    `INSERT INTO effects SELECT id, 1 FROM unnest($1::text[]) AS id
     ON CONFLICT (name) DO UPDATE SET count = effects.count + 1`,
    [messages.map(({ id }) => id)],
  );
  return { tooEarly: [] };
};

/** A database and a broker with the queues of a service `receiver`, and what consumes from them. */
export async function setupConsumer() {
  await using setup = new AsyncDisposableStack();
  const { url, database } = setup.use(await setupDatabase());
  const testBroker = setup.use(
    await createTestBroker({ sender: {}, receiver: { sender: [eventType] } }),
  );
  const connection = await amqp.connect(testBroker.adminUrl);
  setup.defer(() => connection.close());
  const admin = await connection.createConfirmChannel();
  const tapped: { readonly messageId: string; readonly headers: Record<string, unknown> }[] = [];
  const { queue: tap } = await admin.assertQueue("", { exclusive: true });
  for (const { label } of retryDelays) await admin.bindQueue(tap, topology.retry, label);
  const noteRetry = (message: amqp.ConsumeMessage | null) => {
    if (message) {
      const { messageId, headers } = message.properties;
      tapped.push({ messageId, headers: headers ?? {} });
    }
  };
  await admin.consume(tap, noteRetry, { noAck: true });
  const running = setup.move();

  return {
    url,
    database,
    urlOf: testBroker.urlOf,
    connection,
    admin,
    /** A copy of every message that was sent to a retry queue. */
    retried: tapped as readonly (typeof tapped)[number][],
    /** Starts a consumer; disposing ends it and its broker connections. */
    async consume(handle: Handler, over: Database = database, clock: CheckedClock = testClock) {
      await using starting = new AsyncDisposableStack();
      const options = { url: testBroker.urlOf("receiver"), name: "consumer test", log: testLog };
      const broker = starting.use(createBroker(options));
      const deliveries: Delivery[] = [];
      const consumer = starting.use(
        createConsumer({
          service: "receiver",
          schemas: [OrderCreatedEventSchema],
          handle,
          userOf: ({ userId }) => userId,
          broker: {
            ...broker,
            subscribe: ({ onDelivery, ...rest }) =>
              broker.subscribe({
                ...rest,
                onDelivery(delivery) {
                  deliveries.push(delivery);
                  onDelivery(delivery);
                },
              }),
          },
          database: over,
          clock,
          newId,
          log: testLog,
          faults: noFaults,
        }),
      );
      await eventually(
        "it consumes",
        () => consumer.consuming || deliveries.length > 0 || undefined,
      );
      const started = starting.move();
      return { consumer, deliveries, [Symbol.asyncDispose]: () => started.disposeAsync() };
    },
    /** Publishes the messages as the service `sender` would and returns their ids. */
    async publish(messages: readonly Sent[]) {
      const ids = messages.map((message) => {
        const { messageId, type, body, headers } = {
          messageId: newId(),
          type: eventType,
          body: eventOf("alice"),
          headers: {},
          ...message,
        };
        admin.publish("sender.events", eventType, Buffer.from(body), {
          persistent: true,
          headers,
          ...(messageId === undefined ? {} : { messageId }),
          ...(type === undefined ? {} : { type }),
        });
        return messageId ?? "";
      });
      await admin.waitForConfirms();
      return ids;
    },
    /** Resolves with how often each message has taken effect once that are so many. */
    effects: (count: number) =>
      eventually(`${count} messages have taken effect`, async () => {
        const rows = await database.transaction((transaction) =>
          transaction.query<{ name: string; count: string }>("SELECT name, count FROM effects", []),
        );
        return rows.length >= count ? new Map(rows.map((row) => [row.name, row.count])) : undefined;
      }),
    /** Takes so many messages from the dead letters, as soon as they are there. */
    async deadLetters(count: number) {
      const taken: amqp.GetMessage[] = [];
      await eventually(`there are ${count} dead letters`, async () => {
        const message = await admin.get(topology.deadLetters, { noAck: true });
        if (message) taken.push(message);
        return taken.length >= count || undefined;
      });
      return taken;
    },
    /** Takes so many messages from the work queue and gives them back, as one that died would. */
    async returnAll(count: number) {
      const channel = await connection.createChannel();
      let taken = 0;
      await channel.consume(topology.work, () => {
        taken += 1;
      });
      await eventually(`${count} messages are taken`, () => taken >= count || undefined);
      await channel.close();
    },
    /** How many messages wait in the work queue and among the dead letters. */
    async waiting() {
      const work = await admin.checkQueue(topology.work);
      const dead = await admin.checkQueue(topology.deadLetters);
      return { work: work.messageCount, dead: dead.messageCount };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
