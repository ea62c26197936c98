import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readRecording } from "../recording.ts";
import { releases } from "../releases.ts";
import { countEvents, scenario } from "../scenario.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the events of a scenario", () => {
  for (const folder of releases(root)) {
    it(`are as many as were recorded: ${folder}`, () => {
      const { calls, events } = readRecording(folder).recording;
      assert.equal(countEvents(calls), events.length);
    });
  }

  it("are one more with a refund", () => {
    const steps = scenario("rest");
    const without = steps.filter(({ method }) => !method.endsWith("/RefundPayment"));
    assert.equal(without.length, steps.length - 1);
    assert.equal(countEvents(steps), countEvents(without) + 1);
  });
});
