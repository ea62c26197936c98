import assert from "node:assert/strict";
import { RecentMap } from "../../src/base/recent-map.ts";

describe("a map of what was used recently", () => {
  it("forgets what was not used for the longest time, and nothing else", () => {
    const map = new RecentMap<string, { readonly nth: number }>(2);
    let made = 0;
    const use = (key: string) => map.use(key, () => ({ nth: ++made })).nth;
    assert.deepEqual(["a", "b", "a", "c", "a", "b", "a", "c"].map(use), [1, 2, 1, 3, 1, 4, 1, 5]);
  });
});
