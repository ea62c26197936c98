import assert from "node:assert/strict";
import { pino } from "pino";
import { createCheckedClock } from "../../src/base/clock.ts";
import { createIdSource } from "../../src/base/new-id.ts";
import { timeOfId } from "../../src/contract/message-id.ts";

const startMs = Date.UTC(2026, 10, 30, 12);
const dayMs = 86_400_000;

/** Three clocks that the test sets, by what they are ahead of the real time. */
function setup(ahead: { machine: number; database: number }) {
  const now = { passedMs: 0, stoodMs: 0, ...ahead };
  const lines: string[] = [];
  const log = pino(
    { level: "warn" },
    { write: (line) => void lines.push(`${JSON.parse(line).level} ${JSON.parse(line).msg}`) },
  );
  const clock = createCheckedClock({
    machine: {
      nowMs: () => startMs + now.passedMs + now.machine,
      monotonicMs: () => 5_000 + now.passedMs - now.stoodMs,
    },
    log,
  });
  const compare = (answerTookMs = 2) => {
    const askedMs = clock.monotonicMs();
    now.passedMs += answerTookMs;
    clock.compare(startMs + now.passedMs - answerTookMs / 2 + now.database, askedMs);
  };
  /** By how much the clock is ahead of the real time. */
  const aheadMs = () => clock.nowMs() - startMs - now.passedMs;
  const assertAhead = (byMs: number) =>
    assert.ok(Math.abs(aheadMs() - byMs) < 1_000, `it is ${aheadMs()} ms ahead, not ${byMs}`);
  return { now, lines, clock, compare, assertAhead };
}

const differ = "50 the clocks of this machine and of the database differ";

describe("a checked clock", () => {
  it("starts with the time of the database, and says if the machine's is another", () => {
    for (const machine of [0, 4 * dayMs, -4 * dayMs]) {
      const { lines, clock, compare, assertAhead } = setup({ machine, database: 0 });
      compare();
      assertAhead(0);
      assert.deepEqual(lines, machine === 0 ? [] : [differ]);
      assert.ok(clock.earliestMs() <= clock.nowMs());
    }
  });

  it("goes on when the clock of the machine jumps, and says so once", () => {
    for (const jump of [4 * dayMs, -4 * dayMs]) {
      const { now, lines, compare, assertAhead } = setup({ machine: 0, database: 0 });
      compare();
      now.machine = jump;
      assertAhead(0);
      for (let times = 0; times < 5; times += 1) {
        now.passedMs += 5_000;
        compare();
        assertAhead(0);
      }
      now.machine = 0;
      compare();
      assertAhead(0);
      assert.deepEqual(lines, [differ]);
    }
  });

  it("goes on when the clock of the database jumps, and forgets nothing early", () => {
    for (const jump of [40 * dayMs, -40 * dayMs]) {
      const { now, lines, clock, compare, assertAhead } = setup({ machine: 0, database: 0 });
      compare();
      now.database = jump;
      compare();
      assertAhead(0);
      now.database = 0;
      compare();
      assertAhead(0);
      assert.deepEqual(lines, [differ]);
      assert.ok(clock.earliestMs() <= startMs + now.passedMs);
    }
  });

  it("follows machine and database if both say the same, as after a pause of the machine", () => {
    const { now, lines, compare, assertAhead } = setup({ machine: 0, database: 0 });
    compare();
    now.passedMs += dayMs;
    now.stoodMs = dayMs;
    assertAhead(-dayMs);
    compare();
    assertAhead(0);
    assert.deepEqual(lines, ["40 the time was corrected"]);
  });

  it("takes the time of the database if no two clocks agree", () => {
    const { now, lines, compare, assertAhead } = setup({
      machine: 4 * dayMs,
      database: 40 * dayMs,
    });
    compare();
    assertAhead(40 * dayMs);
    now.database = 0;
    compare();
    assertAhead(0);
    assert.deepEqual(lines, [differ, "40 the time was corrected"]);
  });

  it("is corrected by small differences, but not by slow answers", () => {
    const { now, lines, compare, assertAhead } = setup({ machine: 0, database: 0 });
    compare();
    compare(4_000);
    assertAhead(0);
    now.database = 3_000;
    compare();
    assertAhead(3_000);
    assert.deepEqual(lines, []);
  });
});

describe("ids", () => {
  it("increase, and come back when the clock was far ahead", () => {
    let nowMs = startMs;
    const newId = createIdSource({ nowMs: () => nowMs });
    const first = newId();
    nowMs += 4 * dayMs;
    const ahead = newId();
    assert.equal(timeOfId(ahead), nowMs);
    nowMs = startMs + 1_000;
    const back = newId();
    assert.equal(timeOfId(back), nowMs);
    assert.ok(first < back && back < ahead);
  });

  it("still increase when the clock is set back a little", () => {
    let nowMs = startMs;
    const newId = createIdSource({ nowMs: () => nowMs });
    const ids = Array.from({ length: 50_000 }, (_, nth) => {
      nowMs = startMs - (nth % 5_000);
      return newId();
    });
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => timeOfId(id) === startMs));
  });
});
