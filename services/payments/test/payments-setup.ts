import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { systemClock } from "@settle/chassis/clock";
import type { Message } from "@settle/chassis/consumer";
import { noFaults } from "@settle/chassis/faults";
import type { KeyedCall } from "@settle/chassis/idempotency";
import { claimMessages, maintainInbox } from "@settle/chassis/inbox";
import { newId } from "@settle/chassis/new-id";
import { createOutbox } from "@settle/chassis/outbox";
import { countStatements, createTestDatabase, testLog } from "@settle/chassis/testing";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { createPaymentsDatabase } from "../src/database.ts";
import { bookDeposits, createAccounts } from "../src/fund-accounts.ts";
import { payOrders } from "../src/order-events.ts";

export type OrderMessage = Message<typeof OrderCreatedEventSchema>;

/** What payments does to its database, on one of its own and without a broker. */
export async function setupPayments() {
  await using setup = new AsyncDisposableStack();
  const { url } = setup.use(await createTestDatabase("payments"));
  const options = { clock: systemClock, log: testLog, faults: noFaults };
  const database = countStatements(setup.use(createPaymentsDatabase({ url, ...options })));
  await database.migrate();
  await maintainInbox(database);
  const outbox = setup.use(
    createOutbox({
      ...options,
      database,
      publisher: { ready: false, publish: async () => "unknown", onReady: () => () => {} },
      exchange: "payments.events",
      maxDepth: 10_000,
    }),
  );
  const running = setup.move();
  return {
    url,
    database,
    /** Creates the accounts, in EUR, in one batch. */
    create: (userIds: readonly string[]) =>
      database.transaction((transaction) =>
        createAccounts(
          transaction,
          userIds.map((userId) => ({
            call: callOf(userId, "CreateAccount"),
            currency: "EUR",
            createTime: new Date(),
          })),
        ),
      ),
    /** Books one deposit for each of the users, in one batch. */
    deposit: (userIds: readonly string[], amountMinor: bigint, currency = "EUR") =>
      database.transaction((transaction) =>
        bookDeposits(
          transaction,
          userIds.map((userId) => ({
            call: callOf(userId, "Deposit"),
            movementId: newId(),
            amountMinor,
            currency,
          })),
          new Date(),
        ),
      ),
    /** Handles the messages as one batch. */
    pay: (messages: readonly OrderMessage[]) =>
      database.transaction(async (transaction) => {
        await claimMessages(
          transaction,
          messages.map(({ id }) => id),
        );
        return payOrders({ outbox, clock: systemClock, newId })(transaction, messages);
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A call under a key of its own. */
export function callOf(userId: string, method: string): KeyedCall {
  return { key: newId(), userId, method, requestHash: new Uint8Array(32) };
}

/** The message of a new order. */
export function orderOf(userId: string, amountMinor: bigint, currency = "EUR"): OrderMessage {
  return {
    id: newId(),
    receiveTimeMs: Date.now(),
    event: create(OrderCreatedEventSchema, {
      orderId: newId(),
      userId,
      amount: { minorUnits: amountMinor, currency },
      createTime: timestampNow(),
    }),
  };
}
