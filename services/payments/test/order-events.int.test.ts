import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { systemClock } from "@settle/chassis/clock";
import type { Message } from "@settle/chassis/consumer";
import type { Database } from "@settle/chassis/database";
import { noFaults } from "@settle/chassis/faults";
import { maintainInbox } from "@settle/chassis/inbox";
import { newId } from "@settle/chassis/new-id";
import { createOutbox, type Outbox } from "@settle/chassis/outbox";
import { createTestDatabase, type TestDatabase, testLog } from "@settle/chassis/testing";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { createPaymentsDatabase } from "../src/database.ts";
import { bookDeposits, createAccounts } from "../src/fund-accounts.ts";
import { payOrders } from "../src/order-events.ts";

describe("payments' handling of order events", () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let outbox: Outbox;

  before(async () => {
    testDatabase = await createTestDatabase("payments");
    database = createPaymentsDatabase({
      url: testDatabase.url,
      clock: systemClock,
      log: testLog,
      faults: noFaults,
    });
    await database.migrate();
    await maintainInbox(database, Date.now());
    outbox = createOutbox({
      database,
      publisher: { ready: false, publish: async () => "unknown", onReady: () => () => {} },
      exchange: "payments.events",
      maxDepth: 1_000,
      clock: systemClock,
      log: testLog,
      faults: noFaults,
    });
  });
  after(async () => {
    await outbox[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    await testDatabase[Symbol.asyncDispose]();
  });

  const account = async (userId: string, balanceMinor: bigint) => {
    const call = (method: string) => ({
      key: newId(),
      userId,
      method,
      requestHash: new Uint8Array(32),
    });
    await database.transaction((transaction) =>
      createAccounts(transaction, [
        { call: call("CreateAccount"), currency: "EUR", createTime: new Date() },
      ]),
    );
    await database.transaction((transaction) =>
      bookDeposits(
        transaction,
        [
          {
            call: call("Deposit"),
            movementId: newId(),
            amountMinor: balanceMinor,
            currency: "EUR",
          },
        ],
        new Date(),
      ),
    );
  };
  const orderOf = (
    userId: string,
    amountMinor: bigint,
  ): Message<typeof OrderCreatedEventSchema> => ({
    id: newId(),
    receiveTimeMs: Date.now(),
    event: create(OrderCreatedEventSchema, {
      orderId: newId(),
      userId,
      amount: { minorUnits: amountMinor, currency: "EUR" },
      createTime: timestampFromMs(Date.now()),
    }),
  });
  const pay = (messages: readonly Message<typeof OrderCreatedEventSchema>[]) =>
    database.transaction((transaction) =>
      payOrders({ outbox, clock: systemClock, newId })(transaction, messages),
    );
  const outcomes = async (messages: readonly Message<typeof OrderCreatedEventSchema>[]) => {
    const rows = await database.query<{ order_id: string; outcome: number }>(
      "SELECT order_id, outcome FROM payments WHERE order_id = ANY($1::uuid[])",
      [messages.map(({ event }) => event.orderId)],
    );
    const byId = new Map(rows.map((row) => [row.order_id, row.outcome]));
    return messages.map(({ event }) => byId.get(event.orderId));
  };

  it("does not let a refused order count against the next one in its batch", async () => {
    await account("refused-between", 250n);
    const messages = [100n, 200n, 100n].map((amount) => orderOf("refused-between", amount));
    await pay(messages);
    assert.deepEqual(await outcomes(messages), [1, 2, 1]);
    const [row] = await database.query("SELECT balance_minor FROM accounts WHERE user_id = $1", [
      "refused-between",
    ]);
    assert.deepEqual(row, { balance_minor: "50" });
  });
});
