import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "@settle/gen/google/rpc/error_details_pb";
import {
  CreateOrderRequestSchema,
  ListOrdersRequestSchema,
} from "@settle/gen/orders/v1/orders_service_pb";
import { createValidation } from "../../src/contract/validation.ts";
import { orderRequest } from "../rpc/rpc-setup.ts";

describe("validation", () => {
  const validation = createValidation([CreateOrderRequestSchema, ListOrdersRequestSchema]);
  const refusal = (change: object): ConnectError => {
    try {
      const message = create(CreateOrderRequestSchema, { ...orderRequest, ...change });
      validation.check(CreateOrderRequestSchema, message);
    } catch (error) {
      assert.ok(error instanceof ConnectError, String(error));
      return error;
    }
    return assert.fail("the message passed");
  };

  it("accepts a message that meets every rule", () => {
    for (const userId of ["a", "auth0|42", "a.b-c_d@e", "x".repeat(128)]) {
      const message = create(CreateOrderRequestSchema, { ...orderRequest, userId });
      validation.check(CreateOrderRequestSchema, message);
    }
  });

  it("names the field by its JSON name, and the rule", () => {
    const error = refusal({ userId: "" });
    assert.equal(error.code, Code.InvalidArgument);
    assert.equal(error.rawMessage, "userId: value is required");
    const nested = refusal({ amount: { minorUnits: 0n, currency: "usd" } });
    const fields = nested
      .findDetails(BadRequestSchema)[0]
      ?.fieldViolations.map(({ field }) => field);
    assert.ok(fields?.includes("amount.currency"), String(fields));
    assert.match(nested.rawMessage, /amount.*minorUnits/);
  });

  it("matches characters, not code units, and U+0000 as the contract says", () => {
    validation.check(
      CreateOrderRequestSchema,
      create(CreateOrderRequestSchema, { ...orderRequest, description: "\u{1F600}".repeat(1_000) }),
    );
    refusal({ description: "\u{1F600}".repeat(1_001) });
    refusal({ description: "a\u0000b" });
    refusal({ userId: "alice\n" });
  });

  it("uses the engine's regular expressions, which must stay fast on hostile text", () => {
    const startedMs = performance.now();
    refusal({ userId: `${"a".repeat(128)}!`, description: "\u0000".repeat(60_000) });
    assert.ok(performance.now() - startedMs < 100);
  });
});
