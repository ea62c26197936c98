import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import {
  exampleRequest,
  listOperations,
  type Operation,
} from "../harness/documents/openapi-examples.ts";
import { assertFits, openapi as document } from "../harness/documents/openapi-fit.ts";
import type { Replica } from "../harness/system/replica.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const operations = new Map(listOperations(document).map((operation) => [operation.id, operation]));
const callTimeoutMs = 20_000;

/** The parts of responses that the tests read. */
type Answer = {
  readonly id: string;
  readonly status: string;
  readonly amount: unknown;
  readonly refundedAmount: unknown;
};

function operationOf(id: string): Operation {
  const operation = operations.get(id);
  assert.ok(operation, `the document has ${id}`);
  return operation;
}

describe("the examples of the OpenAPI document, run unchanged,", function () {
  this.timeout(60_000);
  let system: System;
  let payments: Replica;
  const asked = new Set<string>();
  before(async () => {
    system = await startSystem();
    ({ payments } = await system.startBoth());
  });
  after(() => system?.[Symbol.asyncDispose]());

  /** The caller that the document permits: the user of the examples, or one with the scope. */
  const authorize = ({ node }: Operation) => {
    const scopes = Object.values(node.security ?? {}).map(({ bearer = {} }) =>
      Object.values(bearer).map(String),
    );
    const isOwners = scopes.some((one) => one.length === 0);
    return isOwners ? authorizationOf("alice") : authorizationOf("carol", scopes[0]);
  };

  /** Sends the examples of an operation, optionally without one header; the call must succeed. */
  const ask = async (operationId: string, withoutHeader = ""): Promise<Response> => {
    const operation = operationOf(operationId);
    const { method, path, headers: all, body } = exampleRequest(document, operation);
    const { [withoutHeader]: _, ...headers } = all;
    if (body !== undefined) {
      assertFits(`${operation.pointer}/requestBody/content/application~1json/schema`, body);
    }
    const authorization = await authorize(operation);
    const response = await fetch(system.edgeUrl + path, {
      method,
      headers: { ...headers, authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    asked.add(operationId);
    assert.equal(response.status, 200, response.ok ? "" : await response.text());
    return response;
  };

  /** Returns the response to the examples, which must be the documented one. */
  const answerTo = async (operationId: string, withoutHeader?: string): Promise<Answer> => {
    const response = await ask(operationId, withoutHeader);
    const answer = (await response.json()) as Answer;
    const { pointer } = operationOf(operationId);
    assertFits(`${pointer}/responses/200/content/application~1json/schema`, answer);
    return answer;
  };

  /** Gives an order the id in the examples, because only the service chooses ids. */
  const renameOrder = async (from: string, to: string) => {
    const { orders: inOrders, payments: inPayments } = system.databases;
    const { rowCount } = await inOrders.query("UPDATE orders SET id = $2 WHERE id = $1", [
      from,
      to,
    ]);
    assert.equal(rowCount, 1);
    for (const table of ["payments", "ledger_entries"]) {
      const values = [from, to];
      await inPayments.query(`UPDATE ${table} SET order_id = $2 WHERE order_id = $1`, values);
    }
  };
  const exampleOrderId = () => {
    const { path } = exampleRequest(document, operationOf("OrdersService_GetOrder"));
    return path.split("/").at(-1) ?? "";
  };

  it("open an account, and pay an order from it", async () => {
    await answerTo("PaymentsService_CreateAccount");
    await answerTo("PaymentsService_Deposit");
    const order = await answerTo("OrdersService_CreateOrder");
    assert.equal(order.status, "ORDER_STATUS_PAID");
    await renameOrder(order.id, exampleOrderId());
  });

  for (const operationId of [
    "OrdersService_GetOrder",
    "OrdersService_ListOrders",
    "PaymentsService_GetAccount",
    "PaymentsService_ListLedgerEntries",
    "PaymentsService_GetPayment",
  ]) {
    it(`return data: ${operationId}`, async () => {
      await answerTo(operationId);
    });
  }

  it("watch from the revision that they name", async () => {
    const operation = operationOf("OrdersService_WatchOrders");
    const response = await ask(operation.id);
    assert.ok(response.body);
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("\n\n")) break;
    }
    const [event = ""] = text.split("\n\n");
    const schema = `${operation.pointer}/responses/200/content/text~1event-stream/schema`;
    assertFits(schema, JSON.parse(event.replace(/^data: /, "")));
  });

  it("refund a payment", async () => {
    const payment = await answerTo("PaymentsService_RefundPayment");
    assert.deepEqual(payment.refundedAmount, payment.amount);
    await eventually("the order shows it", async () => {
      const order = await answerTo("OrdersService_GetOrder");
      return order.status === "ORDER_STATUS_REFUNDED" || undefined;
    });
  });

  it("cancel an unpaid order", async () => {
    await payments.kill();
    await renameOrder(exampleOrderId(), crypto.randomUUID());
    // It would never settle.
    const order = await answerTo("OrdersService_CreateOrder", "Prefer");
    assert.equal(order.status, "ORDER_STATUS_PENDING_PAYMENT");
    await renameOrder(order.id, exampleOrderId());
    const cancelled = await answerTo("OrdersService_CancelOrder");
    assert.equal(cancelled.status, "ORDER_STATUS_CANCELLED");
  });

  // Other services have tests of their own.
  it("exist for every operation of orders and payments", () => {
    const all = [...operations.keys()].filter((id) => /^(Orders|Payments)Service_/.test(id));
    assert.deepEqual(
      all.filter((id) => !asked.has(id)),
      [],
    );
  });
});
