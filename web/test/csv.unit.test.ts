import assert from "node:assert/strict";
import type { LedgerEntry } from "@settle/sdk";
import { LedgerEntryKind } from "@settle/sdk";
import { csvEntry, csvHead, csvLine } from "../src/statement/csv.ts";

describe("the statement as CSV", () => {
  it("begins with a byte order mark and a header row", () => {
    assert.equal(csvHead, "\uFEFFtime,kind,amount,balance,currency,order,entry\r\n");
  });

  it("writes ISO times and decimal amounts, whatever the reader's language", () => {
    const entry: LedgerEntry = {
      $typeName: "payments.v1.LedgerEntry",
      id: "e1",
      kind: LedgerEntryKind.PAYMENT,
      amount: { $typeName: "money.v1.Money", minorUnits: -250n, currency: "EUR" },
      balanceAfter: { $typeName: "money.v1.Money", minorUnits: 9_750n, currency: "EUR" },
      orderId: "o1",
      createTime: {
        $typeName: "google.protobuf.Timestamp",
        seconds: 1_795_000_000n,
        nanos: 5_600_000,
      },
    };
    assert.equal(csvEntry(entry), "2026-11-18T11:06:40.005Z,payment,-2.50,97.50,EUR,o1,e1\r\n");
  });

  it("says so where a currency has no minor units", () => {
    const sum = { $typeName: "money.v1.Money", minorUnits: 250n, currency: "ZZZ" } as const;
    const row = csvEntry({
      $typeName: "payments.v1.LedgerEntry",
      id: "e1",
      kind: LedgerEntryKind.DEPOSIT,
      amount: sum,
      balanceAfter: sum,
      orderId: "",
    });
    assert.equal(row, ",deposit,250,250,ZZZ (minor units),,e1\r\n");
  });

  it("quotes characters that would break the row", () => {
    assert.equal(csvLine(['a "b"', "c,d", "e\nf"]), '"a ""b""","c,d","e\nf"\r\n');
  });

  it("keeps text from being read as a formula, and numbers as numbers", () => {
    assert.equal(csvLine(["=1+1", "+1", "@x", "-x", "\tx"]), "'=1+1,'+1,'@x,'-x,'\tx\r\n");
    assert.equal(csvLine(["-2.50", "-5", "-2.50-1"]), "-2.50,-5,'-2.50-1\r\n");
    assert.equal(csvLine(['=HYPERLINK("x","y")']), `"'=HYPERLINK(""x"",""y"")"\r\n`);
  });
});
