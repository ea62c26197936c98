import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findBreaches } from "../gate.ts";
import { judge, judgeDocument, judgeRest } from "../judge.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const released = readFileSync(`${root}/gen/openapi/settle.json`, "utf8");

/** A document that a test changes. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into any part of it
type Draft = any;

/** Returns the breaches that the gate finds in a copy of the document after `change`. */
function breachesAfter(change: (document: Draft) => void): readonly string[] {
  const copy = JSON.parse(released);
  change(copy);
  assert.notDeepEqual(copy, JSON.parse(released), "the change changes something");
  return findBreaches(released, JSON.stringify(copy)).map(
    ({ operation, place, rule }) => `${operation}: ${place}: ${rule}`,
  );
}

const orders = "/gateway/orders";
const list = "/gateway/orders/{userId}";
const schemas = (document: Draft) => document.components.schemas;
const createOrder = (document: Draft) => schemas(document)["orders.v1.CreateOrderRequest"];
const order = (document: Draft) => schemas(document)["orders.v1.Order"];
const query = (document: Draft, name: string) =>
  document.paths[list].get.parameters.find((parameter: Draft) => parameter.name === name);

describe("the REST compatibility gate", () => {
  it("passes the current contract, except for deliberate breaks", () => {
    assert.equal(judgeRest(root), "");
  });

  const breaks: readonly (readonly [
    what: string,
    change: (document: Draft) => void,
    breach: RegExp,
  ])[] = [
    [
      "a removed operation",
      (d) => delete d.paths[orders].post,
      /^POST \/gateway\/orders: : the op/,
    ],
    [
      "a changed path",
      (d) => {
        d.paths["/gateway/order"] = d.paths[orders];
        delete d.paths[orders];
      },
      /the operation was removed$/,
    ],
    [
      "a removed query parameter",
      (d) => {
        const { get } = d.paths[list];
        get.parameters = get.parameters.filter((p: Draft) => p.name !== "status");
      },
      /^GET .*: query status: the parameter was removed$/,
    ],
    [
      "a removed request header",
      (d) => d.paths[orders].post.parameters.shift(),
      /header Idempotency-Key: the parameter was removed$/,
    ],
    [
      "a removed request field",
      (d) => delete createOrder(d).properties.description,
      /request description: the field was removed$/,
    ],
    [
      "a removed response field",
      (d) => delete order(d).properties.settleTime,
      /answer 200 orders\.\*\.settleTime: the field was removed$/,
    ],
    [
      "a removed enum value of a response",
      (d) => schemas(d)["orders.v1.OrderStatus"].enum.pop(),
      /answer 200 status: the value ORDER_STATUS_REFUNDED was removed$/,
    ],
    [
      "a removed enum value of a query",
      (d) => schemas(d)["orders.v1.OrderStatus"].enum.pop(),
      /query status: the value ORDER_STATUS_REFUNDED was removed$/,
    ],
    [
      "a removed status",
      (d) => delete d.paths[orders].post.responses[429],
      /answer 429: the status was removed$/,
    ],
    [
      "a removed response header",
      (d) => delete d.paths[orders].post.responses[200].headers["x-request-id"],
      /answer 200: the header x-request-id was removed$/,
    ],
    [
      "a response field that became optional",
      (d) => order(d).required.pop(),
      /answer 200 \w+: it is no longer always present$/,
    ],
    [
      "a request field that became required",
      (d) => createOrder(d).required.push("description"),
      /request description: it is required now$/,
    ],
    [
      "a query parameter that became required",
      (d) => Object.assign(query(d, "status"), { required: true }),
      /query status: it is required now$/,
    ],
    [
      "a smaller upper bound of a query",
      (d) => Object.assign(query(d, "pageSize").schema, { maximum: 100 }),
      /query pageSize: maximum is 100 and was 2147483647$/,
    ],
    [
      "a larger minimum length",
      (d) => Object.assign(createOrder(d).properties.userId, { minLength: 3 }),
      /request userId: minLength is 3 and was 1$/,
    ],
    [
      "a stricter pattern",
      (d) => Object.assign(createOrder(d).properties.userId, { pattern: "^[a-z]+$" }),
      /request userId: pattern is \^\[a-z\]\+\$ and was/,
    ],
    [
      "a narrower type of a nested request field",
      (d) =>
        Object.assign(schemas(d)["orders.v1.CreateOrderRequest.amount"].properties.minorUnits, {
          type: "null",
        }),
      /request amount\.minorUnits: it is null and was string/,
    ],
    [
      "a wider type of a response field",
      (d) => Object.assign(order(d).properties.revision, { type: ["string", "integer"] }),
      /answer 200 revision: it is string or integer and was string$/,
    ],
    [
      "a removed type of a response field",
      (d) => delete order(d).properties.revision.type,
      /answer 200 revision: it is anything and was string$/,
    ],
    [
      "a removed item type of a response field",
      (d) => delete schemas(d)["orders.v1.ListOrdersResponse"].properties.orders.items,
      /answer 200 orders\.\*: it is anything and was object$/,
    ],
    [
      "a removed enum of a response field",
      (d) => delete schemas(d)["orders.v1.OrderStatus"].enum,
      /answer 200 status: it is no longer an enum$/,
    ],
    [
      "a removed pattern of a response field",
      (d) => delete schemas(d)["money.v1.Money"].properties.minorUnits.pattern,
      /answer 200 amount\.minorUnits: pattern is none and was \^/,
    ],
    [
      "a changed format of a response field",
      (d) => Object.assign(order(d).properties.settleTime, { format: "date" }),
      /answer 200 settleTime: format is date and was date-time$/,
    ],
    [
      "a removed error reason",
      (d) => d.paths[orders].post.responses[429]["x-error-reasons"].pop(),
      /answer 429: the reason RATE_LIMITED was removed$/,
    ],
    [
      "a new rule in a description",
      (d) => {
        createOrder(d).properties.expireAfter.description += "\nRule: not on Sundays";
      },
      /request expireAfter: there is a new rule: Rule: not on Sundays$/,
    ],
    [
      "two fields that became exclusive",
      (d) => Object.assign(createOrder(d), { not: { required: ["description", "expireAfter"] } }),
      /request: there is a new rule: not \{"required":\["description","expireAfter"\]\}$/,
    ],
    [
      "a new required scope",
      (d) => Object.assign(d.paths[orders].post, { security: [{ bearer: ["admin"] }] }),
      /security: more is needed to call it: bearer with admin$/,
    ],
    [
      "a removed alternative of two callers",
      (d) => d.paths[list].get.security.shift(),
      /security: more is needed to call it: bearer with admin$/,
    ],
    [
      "a second required credential",
      (d) => Object.assign(d.paths[orders].post, { security: [{ bearer: [], key: ["a", "b"] }] }),
      /security: more is needed to call it: bearer and key with a and b$/,
    ],
  ];
  for (const [what, change, breach] of breaks) {
    it(`reports ${what}`, () => {
      const found = breachesAfter(change);
      assert.ok(
        found.some((line) => breach.test(line)),
        found.join("\n"),
      );
    });
  }

  const additions: readonly (readonly [what: string, change: (document: Draft) => void])[] = [
    ["a new operation", (d) => Object.assign(d.paths, { "/gateway/more": d.paths[orders] })],
    [
      "a renamed path parameter",
      (d) => {
        d.paths["/gateway/orders/{user}"] = d.paths[list];
        delete d.paths[list];
      },
    ],
    ["a new request field", (d) => Object.assign(createOrder(d).properties, { more: {} })],
    ["a new response field", (d) => Object.assign(order(d).properties, { more: {} })],
    ["a new enum value", (d) => schemas(d)["orders.v1.OrderStatus"].enum.push("ORDER_STATUS_MORE")],
    ["a new status", (d) => Object.assign(d.paths[orders].post.responses, { 418: {} })],
    ["a response field that became required", (d) => order(d).required.push("settleTime")],
    ["a request field that became optional", (d) => createOrder(d).required.pop()],
    [
      "a larger maximum length",
      (d) => Object.assign(createOrder(d).properties.userId, { maxLength: 500 }),
    ],
    [
      "a new field that excludes another",
      (d) => {
        createOrder(d).properties.more = {};
        createOrder(d).not = { anyOf: [{ required: ["description", "more"] }] };
      },
    ],
    ["any type of a query", (d) => Object.assign(query(d, "pageToken"), { schema: {} })],
    [
      "a removed pattern of a request field",
      (d) => delete createOrder(d).properties.userId.pattern,
    ],
    [
      "a new error reason",
      (d) => d.paths[orders].post.responses[429]["x-error-reasons"].push("MORE"),
    ],
    [
      "a stricter response field",
      (d) => Object.assign(order(d).properties.description, { enum: ["a"], pattern: "a" }),
    ],
    [
      "more permitted callers",
      (d) => d.paths[orders].post.security.push({ bearer: ["admin"] }, { key: [] }),
    ],
    ["other descriptions", (d) => Object.assign(createOrder(d), { description: "Other words." })],
  ];
  for (const [what, change] of additions) {
    it(`allows ${what}`, () => {
      assert.deepEqual(breachesAfter(change), []);
    });
  }

  it("reports a request that was closed", () => {
    const open = JSON.parse(released);
    delete createOrder(open).additionalProperties;
    const found = findBreaches(JSON.stringify(open), released);
    assert.deepEqual(
      found.map(({ operation, place, rule }) => `${operation}: ${place}: ${rule}`),
      ["POST /gateway/orders: request: it refuses unknown fields now"],
    );
    assert.deepEqual(findBreaches(released, JSON.stringify(open)), []);
  });

  it("accepts new requirements against a release without tokens only as decided", () => {
    const everywhere = (security: Draft) => {
      const copy = JSON.parse(released);
      for (const item of Object.values<Draft>(copy.paths)) {
        for (const operation of Object.values<Draft>(item)) operation.security = security;
      }
      return judgeDocument(root, JSON.stringify(copy));
    };
    assert.equal(everywhere([{ bearer: [] }, { bearer: ["admin"] }]), "");
    assert.match(
      everywhere([{ bearer: ["admin"] }]),
      /^POST \/gateway\/orders: security: more is needed to call it: bearer with admin\. /m,
    );
  });

  it("names the operation, the field, the rule and the fix", () => {
    const breach = { operation: "POST /a", place: "request b", rule: "c", fix: "d" };
    assert.deepEqual(judge([breach], [], "r"), ["POST /a: request b: c. Fix: d."]);
  });

  it("accepts decided breaks, and requires that they occur", () => {
    const breach = { operation: "POST /a", place: "request b", rule: "c", fix: "d" };
    const decided = { place: "request b", rule: "c", why: "e" };
    assert.deepEqual(judge([breach], [decided], "r"), []);
    assert.deepEqual(judge([breach], [{ ...decided, operation: "POST /b" }], "r").length, 2);
    assert.deepEqual(judge([], [decided], "r"), [
      "r/deliberate.json names a break that does not occur: request b: c",
    ]);
  });
});
