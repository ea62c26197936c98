import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readTypes } from "../recording.ts";
import { scenario } from "../scenario.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the scenario of a release", () => {
  const steps = scenario();

  for (const way of ["rest", "binary"]) {
    // What operators see is of its moment: nothing of it can be recorded.
    it(`calls every method of the contract but those for operators: ${way}`, () => {
      const types = readTypes(`${root}/gen/envoy/descriptors.binpb`);
      const called = new Set(steps.filter((step) => step.way === way).map(({ method }) => method));
      const served = [...types].flatMap((type) =>
        type.kind === "service" && /^(orders|payments)\.v\d+\./.test(type.typeName)
          ? type.methods.map(({ name }) => `${type.typeName}/${name}`)
          : [],
      );
      assert.deepEqual([...called].toSorted(), served.toSorted());
    });
  }

  it("stops payments once, and resumes it", () => {
    const changes = steps.filter(
      (step, index) => step.paymentsHeld !== steps[index - 1]?.paymentsHeld,
    );
    assert.deepEqual(
      changes.map(({ paymentsHeld }) => paymentsHeld === true),
      [true, false],
    );
  });
});
