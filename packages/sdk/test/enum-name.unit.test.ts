import assert from "node:assert/strict";
import { DeclineReason, enumName, OrderStatus } from "@settle/sdk";

describe("enumName", () => {
  it("returns the name of every value", () => {
    for (const [name, value] of Object.entries(OrderStatus)) {
      assert.equal(enumName(OrderStatus, value), name);
    }
    const name: keyof typeof DeclineReason | undefined = enumName(DeclineReason, 1);
    assert.equal(name && DeclineReason[name], 1);
  });

  it("returns undefined for a value that the SDK does not know", () => {
    for (const value of [99, -1, 0.5, Number.NaN]) {
      assert.equal(enumName(OrderStatus, value), undefined);
    }
  });
});
