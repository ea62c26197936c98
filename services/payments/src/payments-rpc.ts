import { create } from "@bufbuild/protobuf";
import { Code, type ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Clock } from "@settle/chassis/clock";
import type { Database } from "@settle/chassis/database";
import { refuse } from "@settle/chassis/errors";
import { answerOf, keyedCallOf } from "@settle/chassis/keyed-call";
import { pageOf, readPage } from "@settle/chassis/page-token";
import { createTransactionBatcher } from "@settle/chassis/transaction-batcher";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import {
  CreateAccountRequestSchema,
  DepositRequestSchema,
  ListLedgerEntriesResponseSchema,
  PaymentsService,
} from "@settle/gen/payments/v1/payments_service_pb";
import { AccountEntity, accountMessage, maxBalanceMinor } from "./account.entity.ts";
import { bookDeposits, createAccounts, type DepositCall } from "./fund-accounts.ts";
import { LedgerEntryEntity, ledgerEntryMessage } from "./ledger.entity.ts";
import { PaymentEntity, paymentMessage } from "./payment.entity.ts";

/**
 * The calls of payments.v1.PaymentsService, behind the checks every call goes through. Disposing
 * finishes the calls that wait.
 */
export function createPaymentsRpc(options: {
  readonly database: Database;
  readonly defaultCurrency: string;
  readonly clock: Clock;
  readonly newId: () => string;
}): AsyncDisposable & { readonly implementation: ServiceImpl<typeof PaymentsService> } {
  const { database, defaultCurrency, clock, newId } = options;
  const { method } = PaymentsService;
  const creations = createTransactionBatcher({ database, run: createAccounts });
  const deposits = createTransactionBatcher({
    database,
    run: (transaction, batch: readonly DepositCall[]) =>
      bookDeposits(transaction, batch, new Date(clock.nowMs())),
  });

  const implementation: ServiceImpl<typeof PaymentsService> = {
    async createAccount(request, context) {
      const { userId, currency } = request;
      const creation = {
        call: keyedCallOf(context, { userId, schema: CreateAccountRequestSchema, request, newId }),
        currency: currency || defaultCurrency,
        createTime: new Date(clock.nowMs()),
      };
      const outcome = await creations.submit(creation, context);
      return answerOf(outcome, context, (reason) => refusal(reason, userId));
    },

    async getAccount({ userId }) {
      const account = await database.entities().findOne(AccountEntity, { userId });
      if (!account) throw refusal(ErrorReason.ACCOUNT_NOT_FOUND, userId);
      return accountMessage(account);
    },

    async deposit(request, context) {
      const { userId, amount } = request;
      const deposit = {
        call: keyedCallOf(context, { userId, schema: DepositRequestSchema, request, newId }),
        movementId: newId(),
        amountMinor: amount?.minorUnits ?? 0n,
        currency: amount?.currency ?? "",
      };
      const outcome = await deposits.submit(deposit, context);
      return answerOf(outcome, context, (reason) => refusal(reason, userId));
    },

    async listLedgerEntries({ userId, ...paging }) {
      const scope = `${method.listLedgerEntries.name} ${userId}`;
      const { limit, after } = readPage(scope, /^\d{1,18}$/, paging);
      const entities = database.entities();
      const found = await entities.find(
        LedgerEntryEntity,
        { account: userId, sequence: after === undefined ? { $ne: null } : { $lt: BigInt(after) } },
        { orderBy: { sequence: "desc" }, limit: limit + 1 },
      );
      if (found.length === 0 && !(await entities.findOne(AccountEntity, { userId }))) {
        throw refusal(ErrorReason.ACCOUNT_NOT_FOUND, userId);
      }
      const { items, nextPageToken } = pageOf(scope, limit, found, ({ sequence }) =>
        String(sequence),
      );
      return create(ListLedgerEntriesResponseSchema, {
        entries: items.map(ledgerEntryMessage),
        nextPageToken,
      });
    },

    async getPayment({ userId, orderId }) {
      const payment = await database.entities().findOne(PaymentEntity, { orderId, userId });
      if (!payment) {
        throw refuse(
          Code.NotFound,
          ErrorReason.PAYMENT_NOT_FOUND,
          `payments knows no order ${orderId} of user ${userId}`,
        );
      }
      return paymentMessage(payment);
    },
  };
  return {
    implementation,
    async [Symbol.asyncDispose]() {
      await Promise.all([creations[Symbol.asyncDispose](), deposits[Symbol.asyncDispose]()]);
    },
  };
}

function refusal(reason: ErrorReason, userId: string): ConnectError {
  switch (reason) {
    case ErrorReason.ACCOUNT_NOT_FOUND:
      return refuse(Code.NotFound, reason, `user ${userId} has no account; create one first`);
    case ErrorReason.ACCOUNT_ALREADY_EXISTS:
      return refuse(Code.AlreadyExists, reason, `user ${userId} has an account already`);
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
        `no balance may grow over ${maxBalanceMinor} minor units`,
      );
    default:
      throw new Error(`no refusal is known for reason ${reason}`);
  }
}
