import { timestampMs } from "@bufbuild/protobuf/wkt";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import type { Attempt, History } from "./history.ts";
import { nameOf, settlementViolations } from "./settlement-violations.ts";
import { isOfUser, type Truth } from "./truth.ts";

/**
 * Compares all stored data with what the clients did and saw, while the system is idle, and returns
 * the violations, with ids. It checks that:
 * - each balance is the sum of its entries, at every step, and not negative; each movement sums to
 *   zero; the deposits are those of the clients;
 * - every order has one legal final status and one matching payment, with exactly one debit of the
 *   amount if it was paid, and the same refunds in both services (see settlement-violations.ts);
 * - every order, account, cancellation and refund that was accepted is stored with the same
 *   content; one with an unknown outcome is stored at most once; a refused one, or any other, is
 *   not stored;
 * - each event was handled once; outboxes, work queues and retry queues are empty; the dead letters
 *   are the published poison messages.
 */
export function violationsOf(truth: Truth, history: History): readonly string[] {
  return [
    ...ledgerViolations(truth),
    ...depositViolations(truth, history),
    ...settlementViolations(truth),
    ...orderHistoryViolations(truth, history),
    ...cancellationHistoryViolations(truth, history),
    ...refundHistoryViolations(truth, history),
    ...accountHistoryViolations(truth, history),
    ...deliveryViolations(truth, history),
  ];
}

function* ledgerViolations({ accounts, entries }: Truth) {
  const byAccount = Map.groupBy(entries, (entry) => entry.account);
  for (const { userId, balanceMinor, entryCount } of accounts) {
    const own = byAccount.get(userId) ?? [];
    let sum = 0n;
    for (const [index, entry] of own.entries()) {
      sum += entry.amountMinor;
      const isNext = entry.sequence === BigInt(index + 1) && entry.balanceAfterMinor === sum;
      if (!isNext) {
        yield `account ${userId}: entry ${entry.movementId} is number ${entry.sequence} with balance ${entry.balanceAfterMinor}, expected number ${index + 1} with ${sum}`;
      }
      if (sum < 0n) yield `account ${userId}: negative (${sum}) after ${entry.movementId}`;
    }
    if (sum !== balanceMinor) {
      yield `account ${userId}: the balance is ${balanceMinor}, the entries sum to ${sum}`;
    }
    if (balanceMinor < 0n) yield `account ${userId}: the balance ${balanceMinor} is negative`;
    if (entryCount !== BigInt(own.length)) {
      yield `account ${userId}: counts ${entryCount} entries and has ${own.length}`;
    }
  }
  for (const [movementId, legs] of Map.groupBy(entries, (entry) => entry.movementId)) {
    const sum = legs.reduce((total, leg) => total + leg.amountMinor, 0n);
    const currencies = new Set(legs.map((leg) => leg.currency));
    if (legs.length !== 2 || sum !== 0n || currencies.size !== 1) {
      yield `movement ${movementId}: ${legs.length} legs in ${[...currencies]} sum to ${sum}`;
    }
  }
  const owners = new Set(accounts.map((account) => account.userId));
  for (const [account, [entry]] of byAccount) {
    const isSystem = /^system:(deposits|sales):[A-Z]{3}$/.test(account);
    if (!isSystem && !owners.has(account)) {
      yield `entry ${entry?.movementId}: there is no account ${account}`;
    }
  }
}

function* depositViolations({ entries }: Truth, history: History) {
  // Deposits have no ids: those with the same user, currency and amount are counted.
  const keyOf = (account: string, currency: string, amountMinor: bigint) =>
    `${amountMinor} ${currency} to ${account}`;
  const booked = Map.groupBy(
    entries.filter((entry) => isOfUser(entry) && entry.kind === LedgerEntryKind.DEPOSIT),
    (entry) => keyOf(entry.account, entry.currency, entry.amountMinor),
  );
  const called = Map.groupBy(history.deposits, ({ userId, currency, amountMinor }) =>
    keyOf(userId, currency, amountMinor),
  );
  for (const key of new Set([...booked.keys(), ...called.keys()])) {
    const { ok, unknown } = tally(called.get(key) ?? []);
    const found = booked.get(key)?.length ?? 0;
    if (found < ok || found > ok + unknown) {
      yield `deposit of ${key}: booked ${found} times, answered OK ${ok} times, unknown ${unknown}`;
    }
  }
}

function* orderHistoryViolations({ orders }: Truth, history: History) {
  const stored = Map.groupBy(orders, (order) => order.description);
  for (const { description, outcome, order, ...asked } of history.orders) {
    const found = stored.get(description) ?? [];
    stored.delete(description);
    const most = outcome === "failed" ? 0 : 1;
    const least = outcome === "ok" ? 1 : 0;
    if (found.length > most || found.length < least) {
      const ids = found.map(({ id }) => id);
      yield `order ${order?.id ?? "?"} (${description}): ended ${outcome} for its client, is stored ${found.length} times [${ids}]`;
      continue;
    }
    const [row] = found;
    if (!row) continue;
    const isAsAsked =
      row.userId === asked.userId &&
      row.amountMinor === asked.amountMinor &&
      row.currency === asked.currency;
    const isAsAnswered =
      !order ||
      (order.id === row.id &&
        order.userId === row.userId &&
        order.amount?.minorUnits === row.amountMinor &&
        order.amount.currency === row.currency &&
        order.description === description &&
        order.status === OrderStatus.PENDING_PAYMENT &&
        order.createTime !== undefined &&
        timestampMs(order.createTime) === row.createTime.getTime());
    if (!isAsAsked || !isAsAnswered) {
      yield `${nameOf(row)}: its content is not what its client asked for and was answered`;
    }
  }
  for (const order of [...stored.values()].flat()) yield `${nameOf(order)}: no client created it`;
}

function* cancellationHistoryViolations({ orders }: Truth, history: History) {
  const called = Map.groupBy(history.cancellations, ({ orderId }) => orderId);
  const expiring = new Set(history.orders.flatMap((one) => (one.expires ? [one.description] : [])));
  for (const order of orders) {
    const { ok, unknown } = tally(called.get(order.id) ?? []);
    const isCancelled = order.status === OrderStatus.CANCELLED;
    if (ok > 0 && !isCancelled) yield `${nameOf(order)}: was cancelled for its client and is not`;
    if (isCancelled && ok + unknown === 0 && !expiring.has(order.description)) {
      yield `${nameOf(order)}: no client cancelled it`;
    }
  }
}

function* refundHistoryViolations({ orders }: Truth, history: History) {
  const called = Map.groupBy(history.refunds, ({ orderId }) => orderId);
  for (const order of orders) {
    const sums = { ok: 0n, unknown: 0n, failed: 0n };
    for (const { outcome, amountMinor } of called.get(order.id) ?? []) sums[outcome] += amountMinor;
    // A cancellation refunds the remaining amount, whatever clients have refunded before.
    const isAnswered = order.status === OrderStatus.CANCELLED || sums.ok <= order.refundedMinor;
    const isAsked =
      order.status === OrderStatus.CANCELLED || order.refundedMinor <= sums.ok + sums.unknown;
    if (!isAnswered || !isAsked) {
      yield `${nameOf(order)}: ${order.refundedMinor} was refunded, answered OK ${sums.ok}, unknown ${sums.unknown}`;
    }
  }
}

function* accountHistoryViolations({ accounts }: Truth, history: History) {
  const called = Map.groupBy(history.accounts, (attempt) => attempt.userId);
  const stored = new Map(accounts.map((account) => [account.userId, account]));
  for (const [userId, attempts] of called) {
    const { ok, unknown } = tally(attempts);
    const account = stored.get(userId);
    stored.delete(userId);
    if (ok > 1) yield `account ${userId}: was created ${ok} times`;
    if (ok === 1 && !account) yield `account ${userId}: was answered with OK and is not stored`;
    if (!account) continue;
    const creators = attempts.filter(({ outcome }) => outcome !== "failed");
    if (ok + unknown === 0) yield `account ${userId}: was refused and is stored`;
    else if (!creators.some(({ currency }) => currency === account.currency)) {
      yield `account ${userId}: is kept in ${account.currency}, which no client asked for`;
    }
  }
  for (const userId of stored.keys()) yield `account ${userId}: no client created it`;
}

function* deliveryViolations(truth: Truth, history: History) {
  const { orders, entries, inbox, outbox, waiting, deadLetters } = truth;
  for (const { service, id, type } of outbox) yield `outbox of ${service}: holds ${type} ${id}`;
  for (const [queue, messages] of waiting) {
    if (messages > 0) yield `queue ${queue}: holds ${messages} messages`;
  }
  const handled = new Set(inbox.payments);
  for (const id of history.injectedEvents) {
    if (!handled.has(id)) yield `event ${id}: was put in and not handled`;
  }
  // An event for each created and each cancelled order; a result for each of these events that
  // arrived; and an event for each refund.
  const cancelled = orders.filter(({ status }) => status === OrderStatus.CANCELLED).length;
  const told = orders.length + cancelled + history.injectedEvents.length;
  const results = told - history.lostEvents.payments.length;
  if (inbox.payments.length !== results) {
    yield `payments handled ${inbox.payments.length} events, there were ${results}`;
  }
  const refunded = entries.filter((entry) => isOfUser(entry) && isRefund(entry)).length;
  if (inbox.orders.length !== results + refunded - history.lostEvents.orders.length) {
    yield `orders handled ${inbox.orders.length} events, there were ${results} results and ${refunded} refunds`;
  }
  const poison = [...history.poison].sort();
  const dead = [...deadLetters].sort();
  if (poison.join() !== dead.join()) {
    yield `dead letters: found [${dead}], put in [${poison}]`;
  }
}

function tally(attempts: readonly Attempt[]) {
  const count = (wanted: string) => attempts.filter(({ outcome }) => outcome === wanted).length;
  return { ok: count("ok"), unknown: count("unknown") };
}

function isRefund({ kind }: { readonly kind: LedgerEntryKind }): boolean {
  return kind === LedgerEntryKind.REFUND;
}
