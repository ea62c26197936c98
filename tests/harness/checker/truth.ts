import { DeadLetterState } from "@settle/gen/ops/v1/dead_letters_pb";
import type { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import type { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import type { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import type { Pool, PoolClient } from "pg";
import { readDeadLetters } from "../system/dead-letters.ts";
import { deadLetterQueues, depthOf, onBroker, peek, transitQueues } from "../system/queues.ts";
import type { ServiceName } from "../system/system.ts";

/** All stored data of the system: both databases and the queues. */
export type Truth = {
  readonly orders: readonly StoredOrder[];
  readonly payments: readonly StoredPayment[];
  readonly accounts: readonly StoredAccount[];
  readonly entries: readonly StoredEntry[];
  readonly outbox: readonly { service: ServiceName; id: string; type: string }[];
  /** The ids of the messages that each service has handled. */
  readonly inbox: Readonly<Record<ServiceName, readonly string[]>>;
  /** The number of waiting messages, by queue. */
  readonly waiting: ReadonlyMap<string, number>;
  /** The bodies of all dead letters, in hexadecimal. */
  readonly deadLetters: readonly string[];
};

export type StoredOrder = {
  readonly id: string;
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly description: string;
  readonly status: OrderStatus;
  readonly declineReason: DeclineReason;
  readonly refundedMinor: bigint;
  readonly revision: bigint;
  readonly createTime: Date;
  readonly settleTime: Date | null;
};

export type StoredPayment = {
  readonly orderId: string;
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly outcome: PaymentOutcome;
  readonly declineReason: DeclineReason;
  readonly refundedMinor: bigint;
};

export type StoredAccount = {
  readonly userId: string;
  readonly currency: string;
  readonly balanceMinor: bigint;
  readonly entryCount: bigint;
};

export type StoredEntry = {
  readonly movementId: string;
  readonly account: string;
  readonly kind: LedgerEntryKind;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Null for the accounts of the system. */
  readonly sequence: bigint | null;
  readonly balanceAfterMinor: bigint | null;
  readonly orderId: string | null;
};

/** Whether the entry is the user's side of its movement, and not the system's. */
export function isOfUser(entry: StoredEntry): boolean {
  return entry.sequence !== null;
}

/** The sources to read from; connections may be inside a transaction of the test. */
export type Sources = {
  readonly databases: Readonly<Record<ServiceName, Pool | PoolClient>>;
  readonly broker: { readonly adminUrl: string };
};

/** Reads all data. It is consistent only while the system is idle. */
export async function readTruth({ databases, broker }: Sources): Promise<Truth> {
  const { orders, payments } = databases;
  const rows = async <Row extends object>(from: Pool | PoolClient, sql: string) =>
    (await from.query<Row>(sql)).rows;
  const inboxOf = async (from: Pool | PoolClient) =>
    (await rows<{ id: string }>(from, "SELECT message_id AS id FROM inbox")).map(({ id }) => id);
  const outboxOf = async (service: ServiceName) =>
    (
      await rows<{ id: string; type: string }>(databases[service], "SELECT id, type FROM outbox")
    ).map((row) => ({ service, ...row }));
  const deadLetters: string[] = [];
  for (const queue of deadLetterQueues) {
    for (const { body } of await peek(broker.adminUrl, queue)) {
      deadLetters.push(body.toString("hex"));
    }
  }
  // Those that are still on the broker, and those in the tables.
  for (const database of [orders, payments]) {
    for (const { body, state } of await readDeadLetters(database)) {
      if (state === DeadLetterState.OPEN) deadLetters.push(body.toString("hex"));
    }
  }
  return {
    orders: await rows(
      orders,
      `SELECT id, user_id AS "userId", amount_minor AS "amountMinor", currency, description, status,
         decline_reason AS "declineReason", refunded_minor AS "refundedMinor", revision, create_time AS "createTime",
         settle_time AS "settleTime" FROM orders ORDER BY id`,
    ),
    payments: await rows(
      payments,
      `SELECT order_id AS "orderId", user_id AS "userId", amount_minor AS "amountMinor", currency,
         outcome, decline_reason AS "declineReason", refunded_minor AS "refundedMinor" FROM payments ORDER BY order_id`,
    ),
    accounts: await rows(
      payments,
      `SELECT user_id AS "userId", currency, balance_minor AS "balanceMinor",
         entry_count AS "entryCount" FROM accounts ORDER BY user_id`,
    ),
    entries: await rows(
      payments,
      `SELECT movement_id AS "movementId", account, kind, amount_minor AS "amountMinor", currency,
         sequence, balance_after_minor AS "balanceAfterMinor", order_id AS "orderId"
       FROM ledger_entries ORDER BY account, sequence, movement_id`,
    ),
    outbox: [...(await outboxOf("orders")), ...(await outboxOf("payments"))],
    inbox: { orders: await inboxOf(orders), payments: await inboxOf(payments) },
    waiting: await readWaiting(broker.adminUrl),
    deadLetters,
  };
}

/** Counts the waiting messages, by queue. */
export async function readWaiting(adminUrl: string): Promise<ReadonlyMap<string, number>> {
  return onBroker(adminUrl, async (channel) => {
    const waiting = new Map<string, number>();
    for (const queue of transitQueues) waiting.set(queue, (await depthOf(channel, queue)).waiting);
    return waiting;
  });
}
