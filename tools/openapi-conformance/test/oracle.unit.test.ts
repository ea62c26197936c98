import assert from "node:assert/strict";
import { compareFacts, type Difference } from "../oracle/compare.ts";
import type { Facts, FactsByOperation } from "../oracle/facts.ts";
import { askOurs, type Contract, readContract } from "../oracle/ours.ts";
import { protoSets } from "../oracle/protos.ts";
import { known } from "../oracle/reasons.ts";
import { loadFacts } from "../oracle/stored.ts";

const compileTimeoutMs = 120_000;

// All of Google's protos take a minute: `npm run openapi:oracle`.
describe("grpc-gateway's generator and ours", function () {
  this.timeout(compileTimeoutMs);

  const compared: Record<string, readonly Difference[]> = {};
  let ours: FactsByOperation;
  let contract: Contract;

  before(async () => {
    for (const set of ["cases", "settle"]) {
      const protos = await (protoSets[set] ?? assert.fail(set))();
      contract = readContract(protos);
      ours = await askOurs(protos);
      compared[set] = compareFacts(ours, loadFacts(set), contract);
    }
  });

  for (const set of ["cases", "settle"]) {
    it(`differ for known reasons only: ${set}`, () => {
      assert.deepEqual(
        compared[set]?.filter((difference) => difference.known === undefined),
        [],
      );
    });
  }

  it("show every known difference that does not need Google's protos", () => {
    const found = new Set(compared.cases?.map((difference) => difference.known));
    const elsewhere = [known.rivals, known.behindDoubleWildcard, known.streamWithPath];
    for (const entry of Object.values(known)) {
      assert.ok(found.has(entry) || elsewhere.some((other) => other === entry), entry.what);
    }
  });

  const faults: readonly (readonly [what: string, fault: (facts: Facts) => Facts])[] = [
    ["one more query parameter", (facts) => ({ ...facts, query: ["more", ...facts.query] })],
    ["one path parameter fewer", (facts) => ({ ...facts, pathParameters: 0 })],
    ["no body", (facts) => ({ ...facts, body: undefined })],
    ["no required field in the body", (facts) => ({ ...facts, body: facts.body?.map(bare) })],
    ["another response", (facts) => ({ ...facts, answer: facts.answer.slice(1) })],
    ["another status", (facts) => ({ ...facts, statuses: ["200"] })],
    ["another method", (facts) => ({ ...facts, method: "OrdersService_Other" })],
  ];
  for (const [what, fault] of faults) {
    it(`differ for an unknown reason if ours had ${what}`, () => {
      const operation = /no.*body/.test(what)
        ? "orders.v1 POST /gateway/orders"
        : "orders.v1 GET /gateway/orders/{}/{}";
      const facts = ours.get(operation);
      assert.ok(facts);
      const faulty = new Map(ours).set(operation, fault(facts));
      const differences = compareFacts(faulty, loadFacts("settle"), contract);
      const unexplained = differences.filter((difference) => difference.known === undefined);
      assert.deepEqual(
        unexplained.map((difference) => difference.operation),
        [operation],
      );
    });
  }

  it("differ for an unknown reason if ours had one operation fewer", () => {
    const [first = ""] = ours.keys();
    const fewer = new Map(ours);
    fewer.delete(first);
    const differences = compareFacts(fewer, loadFacts("settle"), contract);
    assert.deepEqual(
      differences.find(({ operation }) => operation === first),
      { operation: first, known: undefined, what: "only theirs has it" },
    );
  });
});

function bare(name: string): string {
  return name.replace(/\*$/, "");
}
