import assert from "node:assert/strict";
import { mock } from "node:test";
import { pino } from "pino";
import { createSteadyLog } from "../../src/base/steady-log.ts";

describe("the log of faults that last", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setInterval"] }));
  afterEach(() => mock.timers.reset());

  function setup(level = "info") {
    const lines: string[] = [];
    const write = (line: string) => {
      const { level, msg, event, repeats } = JSON.parse(line);
      lines.push([level, msg, event, repeats && `× ${repeats}`].filter(Boolean).join(" "));
    };
    return { lines, steady: createSteadyLog(pino({ level }, { write }), 60_000) };
  }

  it("writes the first line, then the number of repeats in each interval", () => {
    const { lines, steady } = setup();
    assert.ok(steady.warn({ event: "a1" }, "not routed"));
    for (let nth = 2; nth <= 3_369; nth += 1) {
      assert.ok(!steady.warn({ event: `a${nth}` }, "not routed"));
    }
    mock.timers.tick(59_999);
    assert.deepEqual(lines, ["40 not routed a1"]);
    mock.timers.tick(1);
    assert.deepEqual(lines, ["40 not routed a1", "40 not routed a3369 × 3368"]);
    steady.warn({ event: "b" }, "not routed");
    mock.timers.tick(60_000);
    assert.deepEqual(lines.slice(2), ["40 not routed b × 1"]);
  });

  it("takes a fault for a new one after an interval without it", () => {
    const { lines, steady } = setup();
    steady.error({}, "lost");
    mock.timers.tick(60_000);
    steady.error({}, "lost");
    assert.deepEqual(lines, ["50 lost", "50 lost"]);
  });

  it("tells causes apart, up to a number", () => {
    const { lines, steady } = setup();
    for (let nth = 0; nth < 1_000; nth += 1) steady.warn({ event: nth }, "dead", `cause ${nth}`);
    assert.ok(lines.length > 50 && lines.length <= 102, String(lines.length));
  });

  it("writes the repeats at debug level", () => {
    const { lines, steady } = setup("debug");
    steady.warn({}, "lost");
    steady.warn({}, "lost");
    assert.deepEqual(lines, ["40 lost", "20 lost"]);
  });
});
