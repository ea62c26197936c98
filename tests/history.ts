import type { Order } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import type { Account } from "@settle/gen/payments/v1/account_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type Answer, type Caller, outcomeOf, successOf } from "./call.ts";

type Outcome = ReturnType<typeof outcomeOf>;

/** A call of CreateOrder. No two in a history have the same description. */
export type OrderAttempt = {
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly description: string;
  readonly outcome: Outcome;
  /** Present where the outcome is `ok`. */
  readonly order: Order | undefined;
};

/** A call of CreateAccount (without an amount) or Deposit. */
export type AccountAttempt = {
  readonly userId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly outcome: Outcome;
};

/** Everything the clients of one system did that may have changed it, as they saw it end. */
export type History = {
  readonly orders: OrderAttempt[];
  readonly accounts: AccountAttempt[];
  readonly deposits: AccountAttempt[];
  /** Events that a test published to payments under ids of its own, in place of orders. */
  readonly injectedEvents: string[];
  /** The bodies, in hexadecimal, of the messages that have to end as dead letters. */
  readonly poison: string[];
};

/** What a client of the system does, each call noted down in a history. */
export type Shopper = {
  createAccount(userId: string, currency?: string): Promise<Answer<Account>>;
  deposit(userId: string, amountMinor: bigint, currency?: string): Promise<Answer<Account>>;
  /** `label` is the beginning of the order's description, for the messages of a failed check. */
  createOrder(
    userId: string,
    amountMinor: bigint,
    options?: { readonly currency?: string; readonly label?: string },
  ): Promise<Answer<Order>>;
  /** Creates an account that holds `amountMinor`; fails if it cannot. */
  fundedAccount(userId: string, amountMinor: bigint): Promise<void>;
};

export const defaultCurrency = "EUR";

export function createHistory(): History {
  return { orders: [], accounts: [], deposits: [], injectedEvents: [], poison: [] };
}

/** Creates a client that calls by `call` and notes it down in `history`. */
export function createShopper(history: History, call: Caller): Shopper {
  const { createAccount, deposit } = PaymentsService.method;
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
    async createOrder(userId, amountMinor, { currency = defaultCurrency, label = "order" } = {}) {
      const amount = { minorUnits: amountMinor, currency };
      const description = `${label} ${crypto.randomUUID()}`;
      const answer = await call(OrdersService.method.createOrder, { userId, amount, description });
      const order = answer.ok ? answer.message : undefined;
      const outcome = outcomeOf(answer);
      history.orders.push({ userId, amountMinor, currency, description, outcome, order });
      return answer;
    },
    async fundedAccount(userId, amountMinor) {
      await successOf(shopper.createAccount(userId));
      await successOf(shopper.deposit(userId, amountMinor));
    },
  };
  return shopper;
}
