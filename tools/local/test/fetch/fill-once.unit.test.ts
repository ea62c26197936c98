import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillOnce } from "../../fetch/fill-once.ts";

describe("filling a folder once", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-fill-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("creates one complete folder if two processes fill it at the same time", async () => {
    const place = join(folder, "cache/thing");
    const both = Promise.withResolvers<void>();
    let fillers = 0;
    const fill = async (partial: string) => {
      fillers += 1;
      if (fillers === 2) both.resolve();
      await both.promise;
      writeFileSync(join(partial, "file"), "whole");
    };
    assert.deepEqual(await Promise.all([fillOnce(place, fill), fillOnce(place, fill)]), [
      place,
      place,
    ]);
    assert.equal(readFileSync(join(place, "file"), "utf8"), "whole");
    assert.deepEqual(readdirSync(join(folder, "cache")), ["thing"]);
  });

  it("removes a failed attempt, and does not fill an existing folder again", async () => {
    const place = join(folder, "thing");
    const failing = async () => {
      throw new Error("no network");
    };
    await assert.rejects(fillOnce(place, failing), /no network/);
    assert.deepEqual(readdirSync(folder), []);
    await fillOnce(place, async () => {});
    assert.equal(await fillOnce(place, failing), place);
  });
});
