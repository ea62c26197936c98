import assert from "node:assert/strict";
import { tokenClaim } from "../src/session/token-claim.ts";
import { maxEntries, mergeFirstPage } from "../src/statement/merge-entries.ts";

describe("tokenClaim", () => {
  const token = (payload: unknown) =>
    `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.sig`;

  it("reads a claim, also in other letters", () => {
    assert.equal(tokenClaim(token({ sub: "дора/??>>" }), "sub"), "дора/??>>");
  });

  it("refuses what is no JWT or has no such claim", () => {
    assert.throws(() => tokenClaim("opaque", "sub"), /no JWT/);
    assert.throws(() => tokenClaim(token({ sub: 5 }), "sub"), /no claim "sub"/);
  });
});

describe("a statement read anew", () => {
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

  it("begins anew where they do not meet", () => {
    assert.equal(mergeFirstPage(list("a", ""), list("zy", "newer")).nextPageToken, "newer");
    assert.equal(mergeFirstPage(undefined, list("zy", "newer")).nextPageToken, "newer");
    assert.equal(mergeFirstPage(list("", ""), list("z", "newer")).nextPageToken, "newer");
  });

  it("begins anew when it has grown too long by itself", () => {
    const old = list("b".padEnd(maxEntries, "a"), "older");
    assert.equal(mergeFirstPage(old, list("ba", "newer")), old);
    assert.equal(ids(mergeFirstPage(old, list("cba", "newer")) as never), "cba");
  });
});
