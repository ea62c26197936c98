import assert from "node:assert/strict";
import { type Costs, setupCosts } from "../harness/costs/costs.ts";

/** Batches of these sizes, and how many of each are measured. */
const rounds = new Map([
  [1, 50],
  [10, 20],
  [100, 5],
]);
const whole = (value: number) => Math.round(value).toLocaleString("en-US");

describe("an order that is paid", () => {
  const measured = new Map<number, Costs>();
  before(async () => {
    await using setup = await setupCosts(Math.max(...rounds.keys()));
    for (const [size, count] of rounds) measured.set(size, await setup.measure(size, count));
  });

  it("takes the same statements in a batch of a hundred as alone", () => {
    for (const [size, { statements }] of measured) {
      assert.deepEqual(statements, [4, 6, 3], `create, pay and settle ${size}`);
    }
  });

  it("writes each of its rows once, and changes what is shared once per batch", () => {
    for (const [size, { inserted, updated, deleted }] of measured) {
      // An order, its key, payment and two entries, two events and their two ids.
      assert.equal(inserted, 9, `rows inserted, ${size} at a time`);
      // The order, its user's revision twice, and the balance.
      assert.equal(updated, 4, `rows updated, ${size} at a time`);
      // The events.
      assert.equal(deleted, 2, `rows deleted, ${size} at a time`);
    }
  });

  it("shares messages", () => {
    for (const [size, { messages }] of measured) {
      assert.equal(messages, 2 / size, `messages per order, ${size} at a time`);
    }
  });

  after("prints the table of docs/performance.md", () => {
    const row = (name: string, value: (costs: Costs) => string) =>
      console.log(`| ${name} | ${[...measured.values()].map(value).join(" | ")} |`);
    console.log(`\n| per order, in batches of | ${[...measured.keys()].join(" | ")} |`);
    console.log(`| --- |${" ---: |".repeat(measured.size)}`);
    const sizes = [...measured.keys()];
    const perOrder = (value: number, size: number) => Number((value / size).toFixed(2)).toString();
    const statementsOf = (costs: Costs) => costs.statements.reduce((sum, count) => sum + count, 0);
    const sizeOf = (costs: Costs) => sizes[[...measured.values()].indexOf(costs)] ?? 1;
    row("transactions", (costs) => perOrder(3, sizeOf(costs)));
    row("statements", (costs) => perOrder(statementsOf(costs), sizeOf(costs)));
    row("round trips", (costs) => perOrder(statementsOf(costs) + 6, sizeOf(costs)));
    row("rows inserted", ({ inserted }) => `${inserted}`);
    row(
      "rows updated (in place)",
      ({ updated, updatedHot }) => `${updated} (${updatedHot.toFixed(1)})`,
    );
    row("rows deleted", ({ deleted }) => `${deleted}`);
    row("WAL bytes", ({ walBytes }) => whole(walBytes));
    row("WAL records", ({ walRecords }) => walRecords.toFixed(1));
    row("buffers", ({ buffers }) => whole(buffers));
    row("messages", ({ messages }) => `${messages}`);
    row("message bytes", ({ messageBytes }) => whole(messageBytes));
  });
});
