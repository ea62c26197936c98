import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import type { Node } from "../../tests/harness/documents/openapi-examples.ts";
import { assertFits, openapi as document } from "../../tests/harness/documents/openapi-fit.ts";
import { type Answer, type AskOptions, type Lab, startLab } from "./lab.ts";
import { busyUser, orderIds } from "./upstream.ts";

/** Finds the operation of a request as a client would, with its JSON pointer. */
function findOperation(method: string, path: string): { operation: Node; pointer: string } {
  const [bare = ""] = path.split("?");
  for (const [template, item] of Object.entries(document.paths ?? {})) {
    const pattern = template.replaceAll(/\{[^}]+\}/g, "[^/:]+");
    const operation = item[method.toLowerCase()];
    if (!operation || !new RegExp(`^${pattern}$`).test(bare)) continue;
    const step = encodeURIComponent(template.replaceAll("/", "~1"));
    return { operation, pointer: `#/paths/${step}/${method.toLowerCase()}` };
  }
  assert.fail(`${method} ${path} is in no document`);
}

/** Fails unless the document contains this response, with its headers and its body. */
function assertDocumented(method: string, path: string, { status, headers, body }: Answer): void {
  const { operation, pointer } = findOperation(method, path);
  const response = operation.responses?.[status];
  assert.ok(response, `${status} of ${method} ${path} is documented`);
  const type = headers["content-type"] ?? "";
  assert.ok(response.content?.[type], `${type} is documented`);
  for (const name of Object.keys(headers)) {
    if (!/^(x-|retry|idempotency|preference)/.test(name) || name === "x-accel-buffering") continue;
    assert.ok(response.headers?.[name], `the header ${name} is documented`);
  }
  const at = `${pointer}/responses/${status}/content/${type.replace("/", "~1")}/schema`;
  const values = type === "text/event-stream" ? body.split(/\n\n(?=.)/) : [body];
  for (const text of values) assertFits(at, JSON.parse(text.replace(/^data: /, "")));
  const reasons = (response["x-error-reasons"] ?? []) as unknown as readonly string[];
  for (const reason of body.match(/(?<="reason":")[A-Z_]+/g) ?? []) {
    if (status !== 200) assert.ok(reasons.includes(reason), `${reason} is documented`);
  }
}

describe("the OpenAPI document matches the edge:", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  const amount = { minorUnits: "1", currency: "EUR" };
  const order = `/gateway/orders/alice/${orderIds.known}`;
  const accounts = "/gateway/payments/accounts";
  const payment = `${accounts}/alice/payments/${orderIds.known}`;
  const good: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ["POST", "/gateway/orders", { userId: "alice", amount }],
    ["POST", "/gateway/orders", { userId: "alice", amount, description: "x", expireAfter: "1.5s" }],
    ["GET", order],
    ["POST", `${order}:cancel`],
    ["GET", "/gateway/orders/alice"],
    ["GET", "/gateway/orders/alice?pageSize=3&status=ORDER_STATUS_PAID&pageToken=x"],
    ["GET", "/gateway/orders/alice?createdAfter=2026-11-22T09:30:00Z&pageSize=1"],
    ["POST", accounts, { userId: "alice", currency: "EUR" }],
    ["GET", `${accounts}/alice`],
    ["POST", `${accounts}/alice:deposit`, { amount }],
    ["GET", `${accounts}/alice/entries?pageSize=1000`],
    ["GET", payment],
  ];
  for (const [method, path, body] of good) {
    it(`${method} ${path} ${JSON.stringify(body) ?? ""}`, async () => {
      const { operation, pointer } = findOperation(method, path);
      if (operation.requestBody) {
        assertFits(`${pointer}/requestBody/content/application~1json/schema`, body);
      }
      const answer = await lab.ask(method, path, body === undefined ? {} : { body });
      assert.equal(answer.status, 200, answer.body);
      assertDocumented(method, path, answer);
    });
  }

  const beyond: readonly (readonly [what: string, path: string, body: unknown])[] = [
    [
      "a number for a 64-bit integer",
      "/gateway/orders",
      { userId: "alice", amount: { minorUnits: 1, currency: "EUR" } },
    ],
    ["a body without fields where none is needed", `${order}:cancel`, {}],
  ];
  for (const [what, path, body] of beyond) {
    it(`accepts beyond it ${what}`, async () => {
      const answer = await lab.ask("POST", path, { body });
      assert.equal(answer.status, 200, answer.body);
      assertDocumented("POST", path, answer);
    });
  }

  const bad: readonly (readonly [status: number, method: string, path: string, AskOptions?])[] = [
    [400, "POST", "/gateway/orders", { body: { userId: "alice" } }],
    [400, "POST", "/gateway/orders", { body: "{" }],
    [400, "GET", "/gateway/orders/alice?pageSize=-1"],
    [400, "GET", "/gateway/orders/alice?nothing=1"],
    [400, "GET", "/gateway/orders/alice/none"],
    [401, "GET", order, { as: null }],
    [401, "GET", order, { headers: { authorization: "Bearer x" } }],
    [403, "GET", order, { as: "bob" }],
    [403, "POST", `${payment}:refund`, { body: {} }],
    [404, "GET", `/gateway/orders/alice/${orderIds.missing}`],
    [413, "POST", "/gateway/orders", { body: { description: "x".repeat(100_000) } }],
    [429, "GET", `/gateway/orders/${busyUser}:watch`, { as: busyUser }],
    [431, "GET", order, { headers: { "x-large": "x".repeat(20_000) } }],
  ];
  for (const [status, method, path, options] of bad) {
    it(`${method} ${path} answers ${status}`, async () => {
      const answer = await lab.ask(method, path, options);
      assert.equal(answer.status, status, answer.body);
      assertDocumented(method, path, answer);
    });
  }

  it("a watch", async () => {
    const path = "/gateway/orders/alice:watch";
    const answering = lab.ask("GET", path);
    await eventually("the watch reaches the service", () => lab.orders.watching || undefined);
    const money = { minorUnits: 1n, currency: "EUR" };
    const time = { seconds: 1n };
    const completeOrder = {
      userId: "alice",
      amount: money,
      refundedAmount: money,
      createTime: time,
      updateTime: time,
    };
    lab.orders.send({ revision: 1n, event: { case: "order", value: completeOrder } });
    lab.orders.send({ revision: 2n, event: { case: "end", value: { message: "stops" } } });
    lab.orders.endWatches();
    const answer = await answering;
    assert.equal(answer.body.match(/^data: /gm)?.length, 3);
    assertDocumented("GET", path, answer);
  });

  it("a service that is unavailable", async () => {
    await lab.payments.stop();
    try {
      const answer = await lab.ask("GET", payment);
      assert.equal(answer.status, 503);
      assertDocumented("GET", payment, answer);
    } finally {
      await lab.payments.start();
    }
  });
});
