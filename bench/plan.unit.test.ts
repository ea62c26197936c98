import assert from "node:assert/strict";
import { readArguments, usage } from "./plan.ts";

describe("the bench's arguments", () => {
  it("choose between the quick plan and the full one", () => {
    const quick = readArguments(["--quick"]).plan;
    const full = readArguments([]).plan;
    assert.equal(quick.rounds, 3);
    assert.equal(full.rounds, 5);
    assert.equal(full.systemS, 60);
    assert.equal(quick.accounts, full.accounts);
  });

  it("name the folder of the profiles and ask for help", () => {
    assert.equal(readArguments(["--profile", "/tmp/x"]).profileFolder, "/tmp/x");
    assert.equal(readArguments([]).profileFolder, undefined);
    assert.equal(readArguments(["-h"]).help, true);
    assert.match(usage, /--quick/);
  });

  it("are rejected if unknown", () => {
    assert.throws(() => readArguments(["--quik"]), /quik/);
    assert.throws(() => readArguments(["quick"]), /quick/);
  });
});
