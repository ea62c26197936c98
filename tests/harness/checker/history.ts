import type { Order } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import type { Account } from "@settle/gen/payments/v1/account_pb";
import type { Payment } from "@settle/gen/payments/v1/payment_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type Answer, type Caller, outcomeOf, successOf } from "../calls/call.ts";
import type { ServiceName } from "../system/system.ts";

/** A call, with the outcome that its client saw. */
export type Attempt = { readonly outcome: ReturnType<typeof outcomeOf> };

/** A call of CreateOrder. No two in a history have the same description. */
export type OrderAttempt = Attempt & {
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly description: string;
  /** Whether it was created with an expiry. */
  readonly expires?: boolean;
  /** Present if the outcome is `ok`. */
  readonly order: Order | undefined;
};

/** A call of CreateAccount (without an amount) or Deposit. */
export type AccountAttempt = Attempt & {
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
};

/** A call of CancelOrder. */
export type CancelAttempt = Attempt & { readonly orderId: string };

/** A call of RefundPayment. */
export type RefundAttempt = Attempt & { readonly orderId: string; readonly amountMinor: bigint };

/** All calls of a system's clients that may have changed it, with the outcomes that they saw. */
export type History = {
  readonly orders: OrderAttempt[];
  readonly accounts: AccountAttempt[];
  readonly deposits: AccountAttempt[];
  readonly cancellations: CancelAttempt[];
  readonly refunds: RefundAttempt[];
  /** Additional events to payments about known orders, from a test or a repair. */
  readonly injectedEvents: string[];
  /** The ids of events that a test removed from the broker before a service received them. */
  readonly lostEvents: Readonly<Record<ServiceName, string[]>>;
  /** The bodies, in hexadecimal, of the messages that must end as dead letters. */
  readonly poison: string[];
};

/** A client of the system that records each call in a history. */
export type Shopper = {
  createAccount(userId: string, currency?: string): Promise<Answer<Account>>;
  deposit(userId: string, amountMinor: bigint, currency?: string): Promise<Answer<Account>>;
  /** `label` is the start of the order's description, for the messages of a failed check. */
  createOrder(
    userId: string,
    amountMinor: bigint,
    options?: {
      readonly currency?: string;
      readonly label?: string;
      readonly expireAfterS?: number;
    },
  ): Promise<Answer<Order>>;
  cancelOrder(order: Pick<Order, "id" | "userId">): Promise<Answer<Order>>;
  /** Refunds part of an order's payment, as an admin does. */
  refund(order: Pick<Order, "id" | "userId">, amountMinor: bigint): Promise<Answer<Payment>>;
  /** Creates an account with the balance `amountMinor`; throws if that fails. */
  fundedAccount(userId: string, amountMinor: bigint): Promise<void>;
};

export const defaultCurrency = "EUR";

export function createHistory(): History {
  return {
    orders: [],
    accounts: [],
    deposits: [],
    cancellations: [],
    refunds: [],
    injectedEvents: [],
    lostEvents: { orders: [], payments: [] },
    poison: [],
  };
}

/**
 * Creates a client that calls by `call`, or by `callAsAdmin` if an admin is needed, and records its
 * calls in `history`.
 */
export function createShopper(history: History, call: Caller, callAsAdmin: Caller = call): Shopper {
  const { createAccount, deposit, refundPayment } = PaymentsService.method;
  const { createOrder, cancelOrder } = OrdersService.method;
  const shopper: Shopper = {
    async createAccount(userId, currency = defaultCurrency) {
      const answer = await call(createAccount, { userId, currency });
      history.accounts.push({ userId, amountMinor: 0n, currency, outcome: outcomeOf(answer) });
      return answer;
    },
    async deposit(userId, amountMinor, currency = defaultCurrency) {
      const amount = { minorUnits: amountMinor, currency };
      const answer = await call(deposit, { userId, amount });
      history.deposits.push({ userId, amountMinor, currency, outcome: outcomeOf(answer) });
      return answer;
    },
    async createOrder(userId, amountMinor, options = {}) {
      const { currency = defaultCurrency, label = "order", expireAfterS } = options;
      const amount = { minorUnits: amountMinor, currency };
      const description = `${label} ${crypto.randomUUID()}`;
      const expires = expireAfterS !== undefined;
      const answer = await call(createOrder, {
        userId,
        amount,
        description,
        ...(expires && { expireAfter: { seconds: BigInt(expireAfterS) } }),
      });
      const order = answer.ok ? answer.message : undefined;
      const outcome = outcomeOf(answer);
      history.orders.push({ userId, amountMinor, currency, description, expires, outcome, order });
      return answer;
    },
    async cancelOrder({ id: orderId, userId }) {
      const answer = await call(cancelOrder, { userId, orderId });
      history.cancellations.push({ orderId, outcome: outcomeOf(answer) });
      return answer;
    },
    async refund({ id: orderId, userId }, amountMinor) {
      const amount = { minorUnits: amountMinor, currency: defaultCurrency };
      const answer = await callAsAdmin(refundPayment, { userId, orderId, amount });
      history.refunds.push({ orderId, amountMinor, outcome: outcomeOf(answer) });
      return answer;
    },
    async fundedAccount(userId, amountMinor) {
      await successOf(shopper.createAccount(userId));
      await successOf(shopper.deposit(userId, amountMinor));
    },
  };
  return shopper;
}
