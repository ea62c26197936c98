import type { MoneyValue } from "@settle/sdk";
import { currencies } from "../account/currencies.ts";
import { readAccount } from "../account/use-account.ts";
import type { Client } from "../session/client.ts";

/**
 * Ensures that the account can pay for `orders` orders of the smallest amount. Opens and tops up
 * the account if necessary. Returns the amount.
 */
export async function prepareAccount(client: Client, orders: number): Promise<MoneyValue> {
  const { settle, userId, feed } = client;
  const account =
    (await readAccount(client)) ??
    (await settle.payments.createAccount({ userId, currency: currencies[0] }));
  const { minorUnits = 0n, currency = currencies[0] } = account.balance ?? {};
  const missing = BigInt(orders) - minorUnits;
  if (missing > 0n) {
    await settle.payments.deposit({ userId, amount: { minorUnits: missing, currency } });
  }
  feed.deposited();
  return { minorUnits: 1n, currency };
}
