import assert from "node:assert/strict";
import { newId } from "../../src/base/new-id.ts";
import { firstIdAt, timeOfId } from "../../src/contract/message-id.ts";
import { refusalOfId } from "../../src/events/inbox.ts";

const dayMs = 86_400_000;

/** A UUIDv7 with the given time. */
function idAt(timeMs: number): string {
  return `${firstIdAt(timeMs).slice(0, 14)}7abc-8def-0123456789ab`;
}

describe("message ids", () => {
  it("contain the time at which they were created", () => {
    const beforeMs = Date.now();
    const timeMs = timeOfId(newId());
    assert.ok(timeMs !== undefined && timeMs >= beforeMs && timeMs <= Date.now());
  });

  it("rise", () => {
    const ids = Array.from({ length: 1_000 }, newId);
    assert.deepEqual(ids.toSorted(), ids);
  });

  it("are read only from UUIDs of version 7", () => {
    for (const id of ["", "x", "9f1b2c3d-0000-4000-8000-000000000000", `${newId()} `]) {
      assert.equal(timeOfId(id), undefined, id);
    }
  });

  it("bound a day from below", () => {
    const timeMs = Date.UTC(2026, 10, 22);
    assert.ok(firstIdAt(timeMs) <= idAt(timeMs));
    assert.ok(idAt(timeMs - 1) < firstIdAt(timeMs));
  });

  it("are refused when the inbox cannot remember them", () => {
    const nowMs = Date.UTC(2026, 10, 22, 13);
    const clock = { earliestMs: () => nowMs };
    assert.equal(refusalOfId(idAt(nowMs), clock), undefined);
    assert.equal(refusalOfId(idAt(nowMs - 30 * dayMs), clock), undefined);
    assert.match(refusalOfId(idAt(nowMs - 31 * dayMs), clock) ?? "", /older than 30 days/);
    assert.equal(refusalOfId(idAt(nowMs + 400 * dayMs), clock), undefined);
    assert.match(refusalOfId(undefined, clock) ?? "", /not a UUIDv7/);
    assert.match(refusalOfId("1", clock) ?? "", /not a UUIDv7/);
  });
});
