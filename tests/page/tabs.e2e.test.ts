import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { someone, useStage } from "../harness/page/stage.ts";

/** The cluster through which the edge forwards the watches of browsers. */
const watches = "orders-watch-http1";

describe("two tabs of the page", function () {
  this.timeout(60_000);
  const stage = useStage();
  const count = () => stage().system.edge.countUnderWay(watches);
  const watched = (expected: number) =>
    eventually(`the edge has ${expected} watches`, async () =>
      (await count()) === expected ? true : undefined,
    );

  it("share one watch, and one continues when the other is closed", async () => {
    await watched(0);
    await using visit = await stage().visit();
    const { person: first, tab } = visit;
    const name = someone();
    await first.signIn(name);
    await first.openAccount("EUR");
    await first.seesLive("live");
    await first.topUp("10");

    const second = await tab();
    await second.signIn(name);
    await second.seesBalance(1_000, "EUR");
    await second.seesLive("live");
    assert.equal(await count(), 1);

    await second.order("from the second", "1");
    for (const tabOf of [first, second]) {
      await tabOf.sees("from the second", "paid");
      await tabOf.seesBalance(900, "EUR");
    }
    await first.topUp("5");
    await second.seesBalance(1_400, "EUR");
    assert.equal(await count(), 1);

    await first.page.close();
    await second.seesLive("live");
    await second.order("alone", "2");
    await second.sees("alone", "paid");
    await second.seesBalance(1_200, "EUR");
    await watched(1);

    await second.button(second.m.page.signOut).click();
    await watched(0);
  });
});
