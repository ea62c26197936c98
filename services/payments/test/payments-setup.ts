import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { createContextValues, createHandlerContext } from "@connectrpc/connect";
import { noFaults } from "@settle/chassis/base/faults";
import { newId } from "@settle/chassis/base/new-id";
import { publicationsOf } from "@settle/chassis/contract/routes";
import type { Database } from "@settle/chassis/database/database";
import type { Message } from "@settle/chassis/events/consumer";
import { claimMessages, maintainInbox } from "@settle/chassis/events/inbox";
import { createOutbox, type Outbox } from "@settle/chassis/events/outbox";
import { principalKey } from "@settle/chassis/identity/principal";
import { countStatements, createTestDatabase, testClock, testLog } from "@settle/chassis/testing";
import type { KeyedCall } from "@settle/chassis/writes/idempotency";
import {
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { PaymentOutcome, PaymentOutcomeSchema } from "@settle/gen/payments/v1/payment_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { createPaymentsDatabase } from "../src/database.ts";
import { bookDeposits, createAccounts } from "../src/fund-accounts.ts";
import { handleOrderEvents, type OrderEventSchema } from "../src/order-events.ts";
import { createPaymentsRpc } from "../src/payments-rpc.ts";

const published = [PaymentResultEventSchema, PaymentRefundedEventSchema];
export type OrderMessage = Message<OrderEventSchema>;

/** What payments does to its database, on one of its own and without a broker. */
export async function setupPayments() {
  await using setup = new AsyncDisposableStack();
  const { url } = setup.use(await createTestDatabase("payments"));
  const options = { clock: testClock, newId, log: testLog, faults: noFaults };
  const target = { ...options, url, limits: { lockTimeoutMs: 2_000 } };
  const database = countStatements(setup.use(createPaymentsDatabase(target)));
  await database.migrate();
  await maintainInbox(database, testClock);
  const outbox = setup.use(
    createOutbox({
      ...options,
      database,
      publisher: { ready: false, publish: async () => "unknown", onReady: () => () => {} },
      exchange: "payments.events",
      publications: publicationsOf("payments", published),
      maxDepth: 10_000,
      batches: "on",
    }),
  );
  const handler = handleOrderEvents({ outbox, clock: testClock, newId });
  const running = setup.move();
  return {
    url,
    database,
    outbox,
    /** Another replica's connections to the same database; disposed with the rest. */
    openAgain: () => running.use(createPaymentsDatabase(target)),
    /** The calls, without validation and without a look at the caller's rights, on `on`. */
    rpc: (on: Database = database, announceOn: Outbox = outbox) =>
      running.use(
        createPaymentsRpc({
          database: on,
          outbox: announceOn,
          defaultCurrency: "EUR",
          clock: testClock,
          newId,
        }),
      ).implementation,
    /** Creates the accounts, in EUR, in one batch. */
    create: (userIds: readonly string[]) =>
      database.transaction((transaction) =>
        createAccounts(
          transaction,
          userIds.map((userId) => ({
            call: callOf(userId, "CreateAccount"),
            userId,
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
            userId,
            movementId: newId(),
            amountMinor,
            currency,
          })),
          new Date(),
        ),
      ),
    /** Handles the messages as one batch on `on`, and waits for `hold` before it commits. */
    handle: (
      messages: readonly OrderMessage[],
      { on = database, hold }: { on?: Database; hold?: () => Promise<void> } = {},
    ) =>
      on.transaction(async (transaction) => {
        await claimMessages(
          transaction,
          messages.map(({ id }) => id),
        );
        const handled = await handler(transaction, messages);
        await hold?.();
        return handled;
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type PaymentsSetup = Awaited<ReturnType<typeof setupPayments>>;

/** A call under a key of its own. */
export function callOf(userId: string, method: string): KeyedCall {
  return { key: newId(), userId, method, requestHash: new Uint8Array(32) };
}

/** The surroundings of a call by `userId`, under an idempotency key and a deadline if there are. */
export function contextOf(
  method: keyof typeof PaymentsService.method,
  { userId, key, timeoutMs }: { userId: string; key?: string; timeoutMs?: number },
) {
  const principal = { userId, scopes: new Set<string>(), expireTimeMs: Infinity };
  const context = createHandlerContext({
    service: PaymentsService,
    method: PaymentsService.method[method],
    protocolName: "test",
    requestMethod: "POST",
    url: "http://127.0.0.1/",
    requestHeader: key === undefined ? {} : { "idempotency-key": key },
    contextValues: createContextValues().set(principalKey, principal),
  });
  return { ...context, timeoutMs: () => timeoutMs };
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

/** The message of the order's cancellation. */
export function cancellationOf({ event }: OrderMessage): OrderMessage {
  const { orderId, userId, amount } = event;
  const cancelled = { orderId, userId, ...(amount && { amount }), cancelTime: timestampNow() };
  return {
    id: newId(),
    receiveTimeMs: Date.now(),
    event: create(OrderCancelledEventSchema, cancelled),
  };
}

/** The same event under another id. */
export function againOf(message: OrderMessage): OrderMessage {
  return { ...message, id: newId() };
}

/** What has been published about the order, oldest first: `result PAID`, `refunded 60 EUR`. */
export async function publishedAbout(
  { database }: Pick<PaymentsSetup, "database">,
  { event: { orderId, userId } }: OrderMessage,
): Promise<readonly string[]> {
  const rows = await database.query<{ type: string; payload: Uint8Array }>(
    "SELECT type, payload FROM outbox ORDER BY id",
    [],
  );
  return rows.flatMap(({ type, payload }) => {
    if (type === PaymentResultEventSchema.typeName) {
      const result = fromBinary(PaymentResultEventSchema, payload);
      if (result.orderId !== orderId || result.userId !== userId) return [];
      const { minorUnits = 0n } = result.refundedAmount ?? {};
      const back = minorUnits > 0n ? `, ${minorUnits} back` : "";
      return [`result ${nameOf(result.outcome)}${back}`];
    }
    const refund = fromBinary(PaymentRefundedEventSchema, payload);
    if (refund.orderId !== orderId || refund.userId !== userId) return [];
    const { minorUnits, currency } = refund.refundedAmount ?? {};
    return [`refunded ${minorUnits} ${currency}`];
  });
}

/** The stored payment of the order, in short: `PAID 60, refunded 10`. */
export async function paymentOf(
  { database }: Pick<PaymentsSetup, "database">,
  { event: { orderId } }: OrderMessage,
): Promise<string | undefined> {
  const [row] = await database.query<{
    outcome: PaymentOutcome;
    amount_minor: string;
    refunded_minor: string;
    has_refund_time: boolean;
  }>(
    `SELECT outcome, amount_minor, refunded_minor, refund_time IS NOT NULL AS has_refund_time
     FROM payments WHERE order_id = $1`,
    [orderId],
  );
  if (!row) return undefined;
  const refunded = row.has_refund_time ? `, refunded ${row.refunded_minor}` : "";
  return `${nameOf(row.outcome)} ${row.amount_minor}${refunded}`;
}

function nameOf(outcome: PaymentOutcome): string {
  return PaymentOutcomeSchema.value[outcome]?.localName ?? `${outcome}`;
}

/** The balance of the user's account; undefined where there is none. */
export async function balanceOf(
  { database }: Pick<PaymentsSetup, "database">,
  userId: string,
): Promise<bigint | undefined> {
  const [row] = await database.query<{ balance_minor: string }>(
    "SELECT balance_minor FROM accounts WHERE user_id = $1",
    [userId],
  );
  return row && BigInt(row.balance_minor);
}

/**
 * What is wrong with the books: movements that do not sum to zero, balances that are not the sum of
 * their entries, payments of which not what they say has been taken.
 */
export async function faultsInBooks({ database }: Pick<PaymentsSetup, "database">) {
  return database.query(
    `SELECT 'movement' AS fault, movement_id::text AS id FROM ledger_entries
     GROUP BY movement_id HAVING sum(amount_minor) <> 0 OR count(*) <> 2
     UNION ALL
     SELECT 'balance', user_id FROM accounts
     WHERE balance_minor <>
       (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries WHERE account = user_id)
     UNION ALL
     SELECT 'payment', order_id::text FROM payments
     WHERE CASE WHEN outcome = ${PaymentOutcome.PAID} THEN refunded_minor - amount_minor ELSE 0 END
       <> (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries
           WHERE order_id = payments.order_id AND account = user_id)`,
    [],
  );
}
