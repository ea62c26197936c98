import { createHold } from "../release/hold.ts";
import type { Client, Job } from "./client.ts";
import { runCommand } from "./run-command.ts";

/** A running system. */
export type Stage = {
  readonly edgeUrl: string;
  /** The only process of payments. It is stopped while an order is cancelled. */
  readonly paymentsPid: number;
  readonly token: (userId: string, scopes: readonly string[]) => Promise<string>;
};

const journeyTimeoutMs = 60_000;

/**
 * What every client must print, line by line, from its typed answers and typed errors. An order is
 * named by its description, a refusal by its status, its reason and the fields that break a rule. The
 * first part is made while payments runs, the second while it is stopped, so that an order can be
 * cancelled before it is paid.
 */
export const parts: Readonly<Record<"pay" | "cancel", readonly string[]>> = {
  pay: [
    "account: 0 EUR",
    "second account: 409 ACCOUNT_ALREADY_EXISTS",
    "deposit: 3000000000 EUR",
    "deposit with the same key: 3000000000 EUR",
    "order: 2999999999 EUR ORDER_STATUS_PAID",
    "larger order: 1000000000000 EUR ORDER_STATUS_PAYMENT_DECLINED DECLINE_REASON_INSUFFICIENT_FUNDS",
    "balance: 1 EUR",
    "get: two tickets ORDER_STATUS_PAID",
    "first page: a boat",
    "second page: two tickets, the last",
    "paid orders: two tickets",
    "orders since 1960: 400 VALIDATION_FAILED createdAfter",
    "watch: two tickets ORDER_STATUS_PAID, a boat ORDER_STATUS_PAYMENT_DECLINED",
    "cancel of a paid order: 400 ORDER_NOT_CANCELLABLE",
    "refund by its user: 403 PERMISSION_DENIED",
    "refund by an admin: 50 EUR PAYMENT_OUTCOME_PAID",
    "statement: LEDGER_ENTRY_KIND_REFUND 50, LEDGER_ENTRY_KIND_PAYMENT -2999999999, LEDGER_ENTRY_KIND_DEPOSIT 3000000000",
    "without a token: 401 UNAUTHENTICATED",
  ],
  cancel: ["cancel: ORDER_STATUS_CANCELLED"],
};

/**
 * Makes the journey with a compiled client. Resolves if it has printed the lines of both
 * {@link parts}; throws with the first line that differs, or with the failure of the program.
 */
export async function makeJourney(
  client: Pick<Client, "name" | "journey">,
  job: Job,
  stage: Stage,
  signal?: AbortSignal,
): Promise<void> {
  const { command, args, env, cwd = job.folder } = await client.journey(job);
  const userId = `${client.name}-${Date.now()}`;
  const surroundings = {
    ...env,
    EDGE_URL: stage.edgeUrl,
    USER_ID: userId,
    TOKEN: await stage.token(userId, []),
    ADMIN_TOKEN: await stage.token("carol", ["admin"]),
  };
  for (const [part, expected] of Object.entries(parts)) {
    using payments = createHold(stage.paymentsPid);
    payments.set(part === "cancel");
    const lines: string[] = [];
    await runCommand(
      { command, args: [...args, part], env: surroundings, cwd },
      { timeoutMs: journeyTimeoutMs, signal, onLine: (line) => lines.push(line) },
    ).catch((error: Error) => {
      compare(lines, expected.slice(0, lines.length));
      const step = expected[lines.length]?.split(":")[0] ?? "the end";
      error.message = `at "${step}": ${error.message}`;
      throw error;
    });
    compare(lines, expected);
  }
}

function compare(lines: readonly string[], expected: readonly string[]): void {
  for (let at = 0; at < Math.max(lines.length, expected.length); at++) {
    if (lines[at] === expected[at]) continue;
    const printed = lines[at] ?? "nothing";
    throw new Error(`it printed "${printed}" instead of "${expected[at] ?? "nothing"}"`);
  }
}
