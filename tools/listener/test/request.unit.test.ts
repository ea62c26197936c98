import assert from "node:assert/strict";
import { readListenerRequest, usage } from "../request.ts";

const [result, created] = ["events.v1.PaymentResultEvent", "events.v1.OrderCreatedEvent"] as const;

describe("npm run listener", () => {
  it("finds the exchange of each event in the contract", () => {
    assert.deepEqual(readListenerRequest(["bookkeeping", result, created, result]), {
      name: "bookkeeping",
      isRemoval: false,
      listensTo: { payments: [result], orders: [created] },
      readsBatches: true,
      vhost: "settle",
    });
    assert.equal(readListenerRequest(["bookkeeping", result, "--alone"])?.readsBatches, false);
    assert.equal(readListenerRequest(["--remove", "bookkeeping"])?.isRemoval, true);
  });

  it("prints its help with the available events", () => {
    assert.equal(readListenerRequest(["--help"]), undefined);
    for (const event of [result, created]) assert.ok(usage.includes(`  ${event}\n`));
  });

  for (const [args, fault] of [
    [["orders", result], /orders is the name of a service\nSee --help/],
    [["payments.more", result], /"payments\.more" is not a valid name/],
    [[], /"" is not a valid name.*\nname at least one event/],
    [["bookkeeping", "events.v1.OrderShippedEvent"], /no event events\.v1\.OrderShippedEvent/],
    [["bookkeeping", "--remove", result], /--remove takes no events/],
    [["bookkeeping", result, "--colour"], /--colour/],
  ] as const) {
    it(`refuses: ${args.join(" ") || "nothing"}`, () => {
      assert.throws(() => readListenerRequest(args), fault);
    });
  }
});
