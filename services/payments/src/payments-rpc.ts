import { create } from "@bufbuild/protobuf";
import { Code, type ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Clock } from "@settle/chassis/base/clock";
import { refuse, refuseFields } from "@settle/chassis/contract/errors";
import type { Database } from "@settle/chassis/database/database";
import type { Outbox } from "@settle/chassis/events/outbox";
import { pageOf, readPage } from "@settle/chassis/rpc/page-token";
import type { Refused } from "@settle/chassis/writes/answer-once";
import { answerOf, keyedCallOf } from "@settle/chassis/writes/keyed-call";
import { createTransactionBatcher } from "@settle/chassis/writes/transaction-batcher";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { currencyOf, currencyRule } from "@settle/gen/money/v1/currencies";
import {
  CreateAccountRequestSchema,
  DepositRequestSchema,
  ListLedgerEntriesResponseSchema,
  PaymentsService,
  RefundPaymentRequestSchema,
} from "@settle/gen/payments/v1/payments_service_pb";
import { AccountEntity, accountMessage, largestMinor, maxBalanceMinor } from "./account.entity.ts";
import { canOpen, openingRule } from "./currency-rules.ts";
import { bookDeposits, createAccounts, type DepositCall } from "./fund-accounts.ts";
import { ledgerEntryMessage } from "./ledger.entity.ts";
import { listEntries } from "./list-entries.ts";
import { PaymentEntity, paymentMessage } from "./payment.entity.ts";
import { type RefundCall, refundPayments } from "./refund-payments.ts";

/** About how many bytes a ledger entry has as protobuf. */
const usualEntryBytes = 150;

/**
 * The handlers of payments.v1.PaymentsService. They run after the checks that every call goes
 * through. Disposing lets waiting calls finish.
 */
export function createPaymentsRpc(options: {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly defaultCurrency: string;
  readonly clock: Clock;
  readonly newId: () => string;
}): AsyncDisposable & { readonly implementation: ServiceImpl<typeof PaymentsService> } {
  const { database, outbox, defaultCurrency, clock, newId } = options;
  const { method } = PaymentsService;
  const batching = {
    database,
    userOf: ({ userId }: { readonly userId: string }) => userId,
    usersTable: "accounts",
  };
  const creations = createTransactionBatcher({
    ...batching,
    kind: method.createAccount.name,
    run: createAccounts,
  });
  const deposits = createTransactionBatcher({
    ...batching,
    kind: method.deposit.name,
    run: (transaction, batch: readonly DepositCall[]) =>
      bookDeposits(transaction, batch, new Date(clock.nowMs())),
  });
  const refunds = createTransactionBatcher({
    ...batching,
    kind: method.refundPayment.name,
    run: (transaction, batch: readonly RefundCall[]) =>
      refundPayments(transaction, outbox, batch, new Date(clock.nowMs())),
  });

  const implementation: ServiceImpl<typeof PaymentsService> = {
    async createAccount(request, context) {
      const { userId, currency } = request;
      if (currency !== "" && !canOpen(currency)) {
        throw refuseFields([{ field: "currency", description: openingRule }]);
      }
      const creation = {
        call: keyedCallOf(context, { schema: CreateAccountRequestSchema, request, newId }),
        userId,
        currency: currency || defaultCurrency,
        createTime: new Date(clock.nowMs()),
      };
      const outcome = await creations.submit(creation, context);
      return answerOf(outcome, context, (reason) => accountRefusal(reason, userId));
    },

    async getAccount({ userId }) {
      const account = await database.entities().findOne(AccountEntity, { userId });
      if (!account) throw accountRefusal(ErrorReason.ACCOUNT_NOT_FOUND, userId);
      return accountMessage(account);
    },

    async deposit(request, context) {
      const { userId, amount } = request;
      if (!currencyOf(amount?.currency ?? "")) {
        throw refuseFields([{ field: "amount.currency", description: currencyRule }]);
      }
      const deposit = {
        call: keyedCallOf(context, { schema: DepositRequestSchema, request, newId }),
        userId,
        movementId: newId(),
        amountMinor: amount?.minorUnits ?? 0n,
        currency: amount?.currency ?? "",
      };
      const outcome = await deposits.submit(deposit, context);
      return answerOf(outcome, context, (reason) => accountRefusal(reason, userId));
    },

    async listLedgerEntries({ userId, ...paging }) {
      const scope = `${method.listLedgerEntries.name} ${userId}`;
      const page = readPage(scope, /^\d{1,18}$/, paging);
      const { messages, nextPageToken } = await pageOf({
        scope,
        page,
        read: (part) => listEntries(database, userId, part),
        positionOf: ({ sequence }) => String(sequence),
        messageOf: ledgerEntryMessage,
        bytesOf: () => usualEntryBytes,
      });
      if (
        messages.length === 0 &&
        !(await database.entities().findOne(AccountEntity, { userId }))
      ) {
        throw accountRefusal(ErrorReason.ACCOUNT_NOT_FOUND, userId);
      }
      return create(ListLedgerEntriesResponseSchema, { entries: messages, nextPageToken });
    },

    async getPayment({ userId, orderId }) {
      const payment = await database.entities().findOne(PaymentEntity, { orderId, userId });
      if (!payment) throw paymentRefusal(ErrorReason.PAYMENT_NOT_FOUND, { userId, orderId });
      return paymentMessage(payment);
    },

    async refundPayment(request, context) {
      const { userId, orderId, amount } = request;
      if (outbox.full) throw paymentRefusal(ErrorReason.OVERLOADED, request);
      const refund: RefundCall = {
        call: keyedCallOf(context, { schema: RefundPaymentRequestSchema, request, newId }),
        movementId: newId(),
        eventId: newId(),
        userId,
        orderId: orderId.toLowerCase(),
        asked: amount && { amountMinor: amount.minorUnits, currency: amount.currency },
      };
      const outcome = await refunds.submit(refund, context);
      return answerOf(outcome, context, (reason, metadata) =>
        paymentRefusal(reason, request, metadata),
      );
    },
  };
  return {
    implementation,
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [creations, deposits, refunds].map((batcher) => batcher[Symbol.asyncDispose]()),
      );
    },
  };
}

function accountRefusal(reason: ErrorReason, userId: string): ConnectError {
  switch (reason) {
    case ErrorReason.ACCOUNT_NOT_FOUND:
      return refuse(Code.NotFound, reason, `user ${userId} has no account; create one first`);
    case ErrorReason.ACCOUNT_ALREADY_EXISTS:
      return refuse(Code.AlreadyExists, reason, `user ${userId} already has an account`);
    case ErrorReason.CURRENCY_MISMATCH:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `amount.currency is not the currency of the account of user ${userId}`,
      );
    case ErrorReason.BALANCE_LIMIT_EXCEEDED:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `the deposit would raise the balance above ${maxBalanceMinor} minor units`,
      );
    default:
      throw new Error(`no error is defined for reason ${reason}`);
  }
}

function paymentRefusal(
  reason: ErrorReason,
  { userId, orderId }: { readonly userId: string; readonly orderId: string },
  metadata: Refused["metadata"] = {},
): ConnectError {
  switch (reason) {
    case ErrorReason.PAYMENT_NOT_FOUND:
      return refuse(Code.NotFound, reason, `user ${userId} has no payment for order ${orderId}`);
    case ErrorReason.PAYMENT_NOT_REFUNDABLE:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `nothing was taken for order ${orderId}, so there is nothing to refund`,
      );
    case ErrorReason.CURRENCY_MISMATCH:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `amount.currency is not the currency in which order ${orderId} was paid`,
      );
    case ErrorReason.REFUND_EXCEEDS_PAYMENT:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `only ${metadata.left_minor_units} minor units of order ${orderId} are left to refund`,
        { metadata },
      );
    case ErrorReason.BALANCE_LIMIT_EXCEEDED:
      return refuse(
        Code.FailedPrecondition,
        reason,
        `the refund would raise the balance above ${largestMinor} minor units, the largest number that is stored`,
      );
    case ErrorReason.OVERLOADED:
      return refuse(
        Code.ResourceExhausted,
        reason,
        "too many events are waiting to be published; try again later",
      );
    default:
      throw new Error(`no error is defined for reason ${reason}`);
  }
}
