import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createKept } from "../src/browser/kept.ts";

const key = "settle.test";

/** A storage in memory, with some of its functions replaced. */
function storageWith(changes: Partial<Pick<Storage, "getItem" | "setItem" | "removeItem">> = {}) {
  const values = new Map<string, string>();
  return {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
    removeItem: (name: string) => void values.delete(name),
    ...changes,
  } as Storage;
}

describe("what the browser keeps", () => {
  it("is in its storage", () => {
    const storage = storageWith();
    const kept = createKept(() => storage);
    assert.equal(kept.get(key), undefined);
    assert.equal(kept.set(key, "dark"), true);
    assert.equal(storage.getItem(key), "dark");
    assert.equal(kept.get(key), "dark");
    kept.remove(key);
    assert.equal(kept.get(key), undefined);
  });

  const full = storageWith({
    setItem() {
      throw new DOMException("full", "QuotaExceededError");
    },
  });
  const denied = () => {
    throw new DOMException("denied", "SecurityError");
  };
  for (const [what, open] of [
    ["full", () => full],
    ["denied", denied],
  ] as const) {
    it(`is kept until the page is left if the storage is ${what}`, () => {
      const kept = createKept(open);
      assert.equal(kept.get(key), undefined);
      assert.equal(kept.set(key, "dark"), false);
      assert.equal(kept.get(key), "dark");
      kept.remove(key);
      assert.equal(kept.get(key), undefined);
    });
  }

  it("is the latest value when a storage that was full has room again", () => {
    let isFull = true;
    const storage = storageWith();
    const kept = createKept(() => ({
      ...storage,
      setItem(name: string, value: string) {
        if (isFull) throw new DOMException("full", "QuotaExceededError");
        storage.setItem(name, value);
      },
    }));
    kept.set(key, "dark");
    isFull = false;
    assert.equal(kept.set(key, "light"), true);
    assert.equal(kept.get(key), "light");
  });

  it("is read and written in one place, which never fails", () => {
    const root = fileURLToPath(new URL("../src", import.meta.url));
    const touching = globSync("**/*.{ts,tsx}", { cwd: root }).filter((file) =>
      /\b(local|session)Storage\b/.test(readFileSync(`${root}/${file}`, "utf8")),
    );
    // The library for OpenID takes a storage.
    assert.deepEqual(touching.toSorted(), ["browser/kept.ts", "session/sign-in-by-oidc.ts"]);
  });
});
