import assert from "node:assert/strict";
import { RecentMap } from "../../src/base/recent-map.ts";

describe("a map of what was used recently", () => {
  const mapOf = (minSize: number) => {
    const map = new RecentMap<string, { readonly nth: number }>(minSize);
    let made = 0;
    return (key: string) => map.use(key, () => ({ nth: ++made })).nth;
  };

  it("remembers the keys that were used last", () => {
    const use = mapOf(2);
    assert.deepEqual(["a", "b", "a", "c", "b", "d", "c", "d"].map(use), [1, 2, 1, 3, 2, 4, 3, 4]);
  });

  it("forgets what was not used since twice as many others were", () => {
    const use = mapOf(2);
    assert.deepEqual(["a", "b", "c", "d", "e", "a"].map(use), [1, 2, 3, 4, 5, 6]);
  });
});
