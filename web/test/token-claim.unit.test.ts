import assert from "node:assert/strict";
import { tokenClaim } from "../src/session/token-claim.ts";
import { maxEntries, mergeFirstPage } from "../src/statement/merge-entries.ts";

describe("tokenClaim", () => {
  const token = (payload: unknown) =>
    `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.sig`;

  it("reads a claim, also with non-ASCII letters", () => {
    assert.equal(tokenClaim(token({ sub: "дора/??>>" }), "sub"), "дора/??>>");
  });

  it("rejects a string that is not a JWT or lacks the claim", () => {
    assert.throws(() => tokenClaim("opaque", "sub"), /not a JWT/);
    assert.equal(tokenClaim(token({ sub: 5 }), "sub"), "5");
    for (const sub of [5.5, 2 ** 53, null, ["a"]]) {
      assert.throws(() => tokenClaim(token({ sub }), "sub"), /no claim "sub"/);
    }
  });
});

describe("a statement that is read again", () => {
  const list = (ids: string, nextPageToken: string) => ({
    entries: [...ids].map((id) => ({ id }) as never),
    nextPageToken,
  });
  const ids = ({ entries }: ReturnType<typeof list>) =>
    entries.map(({ id }: { id: string }) => id).join("");

  it("keeps the pages that were read before", () => {
    const merged = mergeFirstPage(list("dcba", "older"), list("fedc", "newer"));
    assert.equal(ids(merged as never), "fedcba");
    assert.equal(merged.nextPageToken, "older");
  });

  it("starts over if the pages do not overlap", () => {
    assert.equal(mergeFirstPage(list("a", ""), list("zy", "newer")).nextPageToken, "newer");
    assert.equal(mergeFirstPage(undefined, list("zy", "newer")).nextPageToken, "newer");
    assert.equal(mergeFirstPage(list("", ""), list("z", "newer")).nextPageToken, "newer");
  });

  it("starts over if it has grown beyond its limit", () => {
    const old = list("b".padEnd(maxEntries, "a"), "older");
    assert.equal(mergeFirstPage(old, list("ba", "newer")), old);
    assert.equal(ids(mergeFirstPage(old, list("cba", "newer")) as never), "cba");
  });
});
