import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Parser } from "@asyncapi/parser";
import { Ajv } from "ajv";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ours = "gen/asyncapi/settle.json";
const files = [
  ours,
  ...globSync("packages/protoc-gen-asyncapi/testdata/*/*/*.json", { cwd: root }),
];
/** The finding that a newer AsyncAPI exists; fewer tools support that version. */
const known = new Set(["asyncapi-latest-version"]);
/** Findings about parts that the documents of the tests omit. */
const left = new Set(["asyncapi-info-description", "asyncapi-info-contact", "asyncapi-servers"]);

type Message = { readonly examples?: readonly { readonly payload: object }[] };

async function parse(file: string) {
  const { document, diagnostics } = await new Parser().parse(
    readFileSync(join(root, file), "utf8"),
  );
  const complaints = diagnostics.filter(({ code }) => !known.has(String(code)));
  return { document, complaints };
}

describe("the AsyncAPI documents", () => {
  for (const file of files) {
    it(`are valid: ${file}`, async () => {
      const { document, complaints } = await parse(file);
      const rest = complaints.filter(({ code }) => file === ours || !left.has(String(code)));
      assert.deepEqual(
        rest.map(({ code, message, path }) => `${code} at ${path.join("/")}: ${message}`),
        [],
      );
      assert.ok(document);
    });
  }

  it("have examples that their schemas accept, and schemas that reject invalid values", () => {
    let count = 0;
    for (const file of files) {
      const document = JSON.parse(readFileSync(join(root, file), "utf8"));
      const ajv = new Ajv({ strict: false, validateFormats: false }).addSchema(document, "doc");
      const messages: [string, Message][] = Object.entries(document.components.messages);
      for (const [name, { examples = [] }] of messages) {
        const check = ajv.compile({ $ref: `doc#/components/messages/${name}/payload` });
        for (const { payload } of examples) {
          count += 1;
          assert.ok(check(payload), `${name}: ${JSON.stringify(check.errors)}`);
          for (const key of Object.keys(payload)) {
            assert.equal(check({ ...payload, [key]: 7 }), false, `${name}: any ${key}`);
          }
        }
      }
    }
    assert.ok(count >= 6, `only ${count} examples`);
  });

  it("give each schema a title of its own, and a type, and close none", () => {
    for (const file of files) {
      const { schemas = {} } = JSON.parse(readFileSync(join(root, file), "utf8")).components;
      const all: { title?: string; type?: unknown; additionalProperties?: unknown }[] =
        Object.values(schemas);
      const titles = all.map(({ title }) => title ?? assert.fail(file));
      assert.equal(new Set(titles).size, titles.length);
      for (const title of titles) assert.match(title, /^[A-Z][A-Za-z0-9]*$/);
      for (const { type, additionalProperties } of all) {
        assert.equal(typeof type, "string");
        assert.equal(additionalProperties, undefined);
      }
    }
  });

  it("state for every event who sends it and who receives it", async () => {
    const { document } = await parse(ours);
    const told = document?.operations().all() ?? [];
    const lines = told.flatMap((operation) =>
      operation
        .messages()
        .all()
        .map((message) => {
          const [channel] = operation.channels().all();
          return `${operation.id()}: ${operation.action()} ${message.name()} ${channel?.address()}`;
        }),
    );
    // There may be further services.
    const ofTheseTwo = lines.filter((line) => /^(orders|payments)_/.test(line));
    assert.deepEqual(ofTheseTwo, [
      "orders_receives: receive events.v1.PaymentRefundedEvent orders.work",
      "orders_receives: receive events.v1.PaymentResultEvent orders.work",
      "orders_receives: receive events.v1.EventBatch orders.work",
      "orders_sends_events_v1_OrderCancelledEvent: send events.v1.OrderCancelledEvent events.v1.OrderCancelledEvent",
      "orders_sends_events_v1_OrderCancelledEvent_batch: send events.v1.EventBatch events.v1.OrderCancelledEvent.batch",
      "orders_sends_events_v1_OrderCreatedEvent: send events.v1.OrderCreatedEvent events.v1.OrderCreatedEvent",
      "orders_sends_events_v1_OrderCreatedEvent_batch: send events.v1.EventBatch events.v1.OrderCreatedEvent.batch",
      "payments_receives: receive events.v1.OrderCancelledEvent payments.work",
      "payments_receives: receive events.v1.OrderCreatedEvent payments.work",
      "payments_receives: receive events.v1.EventBatch payments.work",
      "payments_sends_events_v1_PaymentRefundedEvent: send events.v1.PaymentRefundedEvent events.v1.PaymentRefundedEvent",
      "payments_sends_events_v1_PaymentRefundedEvent_batch: send events.v1.EventBatch events.v1.PaymentRefundedEvent.batch",
      "payments_sends_events_v1_PaymentResultEvent: send events.v1.PaymentResultEvent events.v1.PaymentResultEvent",
      "payments_sends_events_v1_PaymentResultEvent_batch: send events.v1.EventBatch events.v1.PaymentResultEvent.batch",
    ]);
  });
});
