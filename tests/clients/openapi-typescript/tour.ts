/**
 * The tour of README.md with openapi-fetch and the types that openapi-typescript generates from the
 * OpenAPI document, without any other part of Settle.
 *
 * Called with the edge's URL; the tokens of a user and of an admin are in TOKEN and ADMIN_TOKEN, the
 * user's name in USER_ID. Ends with 0 if everything was as the document says.
 */
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./.cache/document.ts";

type Status = components["schemas"]["google.rpc.Status"];

const [baseUrl = ""] = process.argv.slice(2);
const { USER_ID: userId = "", TOKEN: token, ADMIN_TOKEN: adminToken } = process.env;

const clientOf = (bearer: string | undefined) =>
  createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${bearer}` } });
const user = clientOf(token);
const admin = clientOf(adminToken);
const euros = (cents: number) => ({ minorUnits: String(cents), currency: "EUR" });

/** Returns the body of a call that must succeed. */
function answer<Data>({ data, error }: { data?: Data; error?: Status }): Data {
  assert.ok(data, `refused: ${error?.message}`);
  return data;
}

/** Returns the error reason of a call that must be refused. */
function reason({ data, error }: { data?: unknown; error?: Status }): string | undefined {
  assert.ok(error, `not refused: ${JSON.stringify(data)}`);
  for (const detail of error.details) {
    if (detail["@type"] === "type.googleapis.com/google.rpc.ErrorInfo") return detail.reason;
  }
  return undefined;
}

const accounts = "/gateway/payments/accounts";
const account = await user.POST(accounts, { body: { userId, currency: "EUR" } });
assert.equal(answer(account).balance.minorUnits, "0");
const again = await user.POST(accounts, { body: { userId, currency: "EUR" } });
assert.equal(reason(again), "ACCOUNT_ALREADY_EXISTS");

for (let sent = 0; sent < 2; sent++) {
  const topUp = await user.POST(`${accounts}/{userId}:deposit`, {
    params: { path: { userId }, header: { "Idempotency-Key": "top-up" } },
    body: { amount: euros(1000) },
  });
  assert.equal(answer(topUp).balance.minorUnits, "1000");
}

const bought = await user.POST("/gateway/orders", {
  params: { header: { Prefer: "wait=10" } },
  body: { userId, amount: euros(250), description: "two tickets" },
});
const order = answer(bought);
assert.equal(order.status, "ORDER_STATUS_PAID");
const path = { userId, orderId: order.id };

const paid = await user.GET("/gateway/orders/{userId}", {
  params: { path: { userId }, query: { status: "ORDER_STATUS_PAID", pageSize: 10 } },
});
assert.deepEqual(
  answer(paid).orders.map(({ id }) => id),
  [order.id],
);
const cancelled = await user.POST("/gateway/orders/{userId}/{orderId}:cancel", {
  params: { path },
});
assert.equal(reason(cancelled), "ORDER_NOT_CANCELLABLE");

const refund = { params: { path }, body: { amount: euros(50) } };
const refundPath = `${accounts}/{userId}/payments/{orderId}:refund` as const;
assert.equal(reason(await user.POST(refundPath, refund)), "PERMISSION_DENIED");
const refunded = answer(await admin.POST(refundPath, refund));
assert.equal(refunded.outcome, "PAYMENT_OUTCOME_PAID");
assert.equal(refunded.refundedAmount.minorUnits, "50");

const statement = await user.GET(`${accounts}/{userId}/entries`, { params: { path: { userId } } });
assert.deepEqual(
  answer(statement).entries.map(({ kind, amount }) => [kind, amount.minorUnits]),
  [
    ["LEDGER_ENTRY_KIND_REFUND", "50"],
    ["LEDGER_ENTRY_KIND_PAYMENT", "-250"],
    ["LEDGER_ENTRY_KIND_DEPOSIT", "1000"],
  ],
);
const free = await user.POST("/gateway/orders", { body: { userId, amount: euros(0) } });
assert.equal(reason(free), "VALIDATION_FAILED");
const nobody = await clientOf(undefined).GET(`${accounts}/{userId}`, {
  params: { path: { userId } },
});
assert.equal(reason(nobody), "UNAUTHENTICATED");
console.log("the tour is as the document says");
