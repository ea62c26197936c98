import assert from "node:assert/strict";
import { create, createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "@settle/gen/google/rpc/error_details_pb";
import {
  type CreateOrderRequest,
  CreateOrderRequestSchema,
  ListOrdersRequestSchema,
} from "@settle/gen/orders/v1/orders_service_pb";
import { errorInfoOf } from "../../src/contract/errors.ts";
import { readRequestJson } from "../../src/contract/request-json.ts";

const read = (json: string | Uint8Array, schema: DescMessage = CreateOrderRequestSchema) =>
  readRequestJson(schema, typeof json === "string" ? Buffer.from(json) : json);

/** The fields that the refusal names, with what it says about them. */
function faultsOf(json: string, schema?: DescMessage): string[] {
  try {
    read(json, schema);
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    const [fields] = error.findDetails(BadRequestSchema);
    return (fields?.fieldViolations ?? []).map(
      ({ field, description }) => `${field}: ${description}`,
    );
  }
  return [];
}

describe("a request in JSON", () => {
  it("may use both names of a field, escapes, white space and null", () => {
    const json = `\n{ "user\\u0049d" : "alice", "description":null,\t
      "amount":{"minor_units":"250","currency":"EUR"}, "expire_after":"1.5s" } `;
    const order = read(json) as CreateOrderRequest;
    assert.equal(order.userId, "alice");
    assert.equal(order.amount?.minorUnits, 250n);
    assert.equal(order.expireAfter?.nanos, 500_000_000);
  });

  const unknown = "no such field";
  const twice = "set more than once";
  const integer =
    "must be a whole number from -9223372036854775808 to 9223372036854775807, above 9007199254740991 as a string";
  const seconds = 'must be seconds with at most nine decimals, such as "1.5s"';
  const faults: [string, string[]][] = [
    ['{"expireAfer":"1s"}', [`expireAfer: ${unknown}`]],
    ['{"amount":{"curency":"EUR"}}', [`amount.curency: ${unknown}`]],
    ['{"a":{"b":[{"userId":1}]},"c":2}', [`a: ${unknown}`, `c: ${unknown}`]],
    ['{"UserId":"a"}', [`UserId: ${unknown}`]],
    ['{"":1}', [`: ${unknown}`]],
    ['{"__proto__":{"userId":"a"}}', [`__proto__: ${unknown}`]],
    ['{"toString":1}', [`toString: ${unknown}`]],
    ['{"userId":"a","userId":"a"}', [`userId: ${twice}`]],
    ['{"userId":"a","user\\u0049d":"b"}', [`userId: ${twice}`]],
    ['{"userId":"a","user_id":"b"}', [`userId: ${twice}`]],
    ['{"userId":null,"user_id":"b"}', [`userId: ${twice}`]],
    ['{"amount":{"minorUnits":1,"minor_units":2}}', [`amount.minorUnits: ${twice}`]],
    ['{"amount":{},"amount":{}}', [`amount: ${twice}`]],
    ['{"amount":{"minorUnits":"0x10"}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":{"minorUnits":" 5"}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":{"minorUnits":9007199254740993}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":{"minorUnits":"9223372036854775808"}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":{"minorUnits":1.5}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":{"minorUnits":true}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":{"minorUnits":{"minorUnits":1}}}', [`amount.minorUnits: ${integer}`]],
    ['{"amount":[{"curency":1}],"userId":"a"}', ["amount: must be an object"]],
    ['{"amount":5}', ["amount: must be an object"]],
    [
      '{"userId":5,"description":["x"]}',
      ["userId: must be a string", "description: must be a string"],
    ],
    ['{"expireAfter":"1s and more"}', [`expireAfter: ${seconds}`]],
    ['{"expireAfter":"1.0000000001s"}', [`expireAfter: ${seconds}`]],
    ['{"expireAfter":3600}', [`expireAfter: ${seconds}`]],
  ];
  for (const [json, expected] of faults) {
    it(`is refused by name: ${json}`, () => assert.deepEqual(faultsOf(json), expected));
  }

  it("is refused by name if a time is on no day, or not one of RFC 3339", () => {
    for (const time of [
      "2026-02-30T00:00:00Z",
      "2026-02-01T24:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-02-01",
      "2026-02-01T00:00:00",
      "yesterday",
      5,
    ]) {
      const json = JSON.stringify({ createdAfter: time });
      assert.deepEqual(faultsOf(json, ListOrdersRequestSchema), [
        'createdAfter: must be a time of RFC 3339, such as "2026-11-22T09:30:00Z"',
      ]);
    }
    read('{"createdAfter":"2028-02-29T23:59:59.999+14:00"}', ListOrdersRequestSchema);
  });

  it("is refused by name if an enum has no such value", () => {
    for (const json of ['{"status":"PAID"}', '{"status":"2"}', '{"status":true}']) {
      assert.deepEqual(faultsOf(json, ListOrdersRequestSchema), [
        'status: must be a value of orders.v1.OrderStatus, such as "ORDER_STATUS_REFUNDED"',
      ]);
    }
    read('{"status":"ORDER_STATUS_PAID"}', ListOrdersRequestSchema);
    read('{"status":2}', ListOrdersRequestSchema);
  });

  it("is refused by name in lists and in the values of maps, whose keys are free", () => {
    const json =
      '{"list":[{"list":[{},{"x":1}]},null],"map":{"x":{"y":1},"list":{}, "x":{}, "z":[]}}';
    assert.deepEqual(faultsOf(json, describeNested()), [
      `list[0].list[1].x: ${unknown}`,
      "list[1]: must be an object",
      `map["x"].y: ${unknown}`,
      `map["x"]: ${twice}`,
      'map["z"]: must be an object',
    ]);
    assert.deepEqual(faultsOf('{"list":{},"map":[]}', describeNested()), [
      "list: must be an array",
      "map: must be an object",
    ]);
    read('{"map":{"any":{"map":{"list":{}}}}}', describeNested());
  });

  it("is refused if it is not UTF-8, not JSON, too deep or of another type", () => {
    const latin1 = Buffer.from('{"description":"caf\xe9"}', "latin1");
    const others = [
      "",
      "\ufeff{}",
      "{'userId':'a'}",
      '{userId:"a"}',
      '{"userId":"a",}',
      '{"userId":"a"}x',
      "[]",
      "null",
      '{"description":"\\ud800"}',
      `{"userId":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
      `{"a":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
    ];
    for (const json of [latin1, ...others]) {
      assert.throws(
        () => read(json),
        (error) => (errorInfoOf(error)?.reason ?? "MALFORMED_REQUEST") === "MALFORMED_REQUEST",
      );
    }
    assert.throws(() => read(latin1), /not valid UTF-8/);
    assert.throws(() => read("{"), /not valid JSON/);
  });

  it("may be nested as deeply as the edge allows", () => {
    const nested = (levels: number) => `${'{"map":{"x":'.repeat(levels)}{}${"}}".repeat(levels)}`;
    read(nested(50), describeNested());
    assert.throws(() => read(nested(51), describeNested()), /nested more than 100 levels deep/);
  });

  it("of 64 KiB of names is refused", () => {
    const names = Array.from({ length: 8_000 }, (_, at) => `"${at}":1`).join();
    assert.equal(faultsOf(`{${names}}`).length, 10);
  });
});

/** A message with a list and a map of itself. */
function describeNested(): DescMessage {
  const message = FieldDescriptorProto_Type.MESSAGE;
  const many = { type: message, label: FieldDescriptorProto_Label.REPEATED };
  const entry = {
    name: "MapEntry",
    options: { mapEntry: true },
    field: [
      { name: "key", number: 1, type: FieldDescriptorProto_Type.STRING },
      { name: "value", number: 2, type: message, typeName: ".test.v1.Nested" },
    ],
  };
  const file = create(FileDescriptorProtoSchema, {
    name: "test/v1/nested.proto",
    package: "test.v1",
    syntax: "proto3",
    messageType: [
      {
        name: "Nested",
        nestedType: [entry],
        field: [
          { name: "list", jsonName: "list", number: 1, typeName: ".test.v1.Nested", ...many },
          {
            name: "map",
            jsonName: "map",
            number: 2,
            typeName: ".test.v1.Nested.MapEntry",
            ...many,
          },
        ],
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  return registry.getMessage("test.v1.Nested") ?? assert.fail();
}
