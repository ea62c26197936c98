import assert from "node:assert/strict";
import { titleOf } from "../src/orders/title.ts";

describe("the title of an order", () => {
  it("is its description, unless nothing in it can be seen", () => {
    for (const description of ["tea", "чай", "茶", "☕", "1", "\u202etea"]) {
      assert.equal(titleOf({ description }), description);
    }
    for (const description of ["", " ", "\u00a0\u2003", "\u200b\u200d", "\u202e", "\ufeff"]) {
      assert.equal(titleOf({ description }), "", JSON.stringify(description));
    }
  });
});
