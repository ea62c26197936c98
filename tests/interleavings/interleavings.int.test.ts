import assert from "node:assert/strict";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import fc from "fast-check";
import { checkTimeoutMs } from "../harness/checker/checker.ts";
import { type Result, startRehearsal } from "../harness/interleavings/rehearsal.ts";
import { openStage, type Stage } from "../harness/interleavings/stage.ts";
import { turns } from "../harness/interleavings/turns.ts";

const runs = 120;
/** A busy machine does fewer runs, but not fewer than `leastRuns`. */
const maxRunsMs = 40_000;
const leastRuns = 20;

describe("orders and payments", function () {
  this.timeout(checkTimeoutMs);
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage?.[Symbol.asyncDispose]());

  it("agree in the end, without an illegal step, for random events in random order", async () => {
    const results: Result[] = [];
    let started = 0;
    const property = fc.asyncProperty(
      turns,
      fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 10 }),
      async (taken, choices) => {
        started += 1;
        const rehearsal = await startRehearsal(stage, String(started));
        for (const one of taken) await rehearsal.take(one);
        results.push(await rehearsal.finish(choices));
      },
    );
    const details = await fc.check(property, {
      numRuns: runs,
      interruptAfterTimeLimit: maxRunsMs,
      includeErrorInReport: true,
    });
    if (details.failed) assert.fail(fc.defaultReportMessage(details));

    const sum = (count: (result: Result) => number) =>
      results.reduce((total, result) => total + count(result), 0);
    const ended = (status: OrderStatus) =>
      sum(({ orders }) => orders.filter((order) => order.status === status).length);
    const { PAID, REFUNDED, PAYMENT_DECLINED, CANCELLED } = OrderStatus;
    const ends = [PAID, REFUNDED, PAYMENT_DECLINED, CANCELLED].map(ended);
    const [paid, refunded, declined, cancelled] = ends;
    console.log(
      `      ${results.length} runs of ${sum((result) => result.turns)} turns, seed ${details.seed}: ` +
        `${sum(({ orders }) => orders.length)} orders (${paid} paid, ${refunded} refunded, ` +
        `${declined} declined, ${cancelled} cancelled); ${sum(({ events }) => events)} events in ` +
        `${sum(({ deliveries }) => deliveries)} deliveries, ${sum(({ tooEarly }) => tooEarly)} of ` +
        `them too early; ${sum(({ waits }) => waits)} transactions waited for another`,
    );
    // All transactions take locks in the same order.
    assert.equal(await stage.countDeadlocks(), 0n);
    assert.ok(results.length >= leastRuns);
    assert.ok(ends.every((count) => count > 0));
  });
});
