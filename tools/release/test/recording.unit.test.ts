import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { countEvents, type PlayedCall, readRecording } from "../recording.ts";
import { releases } from "../releases.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the events of a recording", () => {
  for (const folder of releases(root)) {
    it(`match its calls in number: ${folder}`, () => {
      const { calls, events } = readRecording(folder).recording;
      assert.equal(countEvents(calls), events.length);
    });
  }

  const played = (method: string, body: PlayedCall["answer"]["body"], status = 200): PlayedCall => {
    return { way: "rest", user: "alice", method, rest: "", request: {}, answer: { status, body } };
  };
  const created = played("orders.v1.OrdersService/CreateOrder", { id: "1" });
  const refund = (minorUnits: string, status = 200) => {
    const body = { orderId: "1", refundedAmount: { minorUnits } };
    return played("payments.v1.PaymentsService/RefundPayment", body, status);
  };
  const seen = (status: string, minorUnits: string) => {
    const body = { id: "1", status: `ORDER_STATUS_${status}`, refundedAmount: { minorUnits } };
    return played("orders.v1.OrdersService/GetOrder", body);
  };
  const cases: readonly (readonly [what: string, calls: readonly PlayedCall[], count: number])[] = [
    ["an order", [created, seen("PAID", "0")], 2],
    ["two partial refunds", [created, refund("1"), refund("3"), seen("PAID", "3")], 4],
    ["a refused refund", [created, refund("1"), refund("9", 400)], 3],
    ["a cancellation of an unpaid order", [created, seen("CANCELLED", "0")], 4],
    [
      "a cancellation that is read twice and refunds money",
      [created, seen("CANCELLED", "0"), seen("CANCELLED", "5")],
      5,
    ],
  ];
  for (const [what, calls, count] of cases) {
    it(`are ${count} for ${what}`, () => {
      assert.equal(countEvents(calls), count);
    });
  }
});
