import assert from "node:assert/strict";
import { setupOrders } from "./orders-setup.ts";

describe("calls of CreateOrder", () => {
  let setup: Awaited<ReturnType<typeof setupOrders>>;
  beforeEach(async () => {
    setup = await setupOrders();
  });
  afterEach(() => setup[Symbol.asyncDispose]());

  const descriptionsOf = async () => {
    const rows = await setup.database.query<{ description: string }>(
      "SELECT description FROM orders ORDER BY id",
      [],
    );
    return rows.map((row) => row.description);
  };

  it("that arrive together are one transaction of as many statements as one call", async () => {
    const { database, createOrder } = setup;
    for (const size of [1, 10, 100]) {
      const before = database.statements.length;
      const calls = Array.from({ length: size }, (_, nth) => createOrder(`user-${nth % 7}`, "one"));
      await Promise.all(calls);
      assert.deepEqual(database.statements.slice(before), [4], `${size} calls`);
    }
    const transactions = await database.query(
      `SELECT DISTINCT orders.xmin::text, keys.xmin::text AS of_keys FROM orders
       JOIN idempotency_keys AS keys USING (user_id)
       WHERE orders.xmin = keys.xmin`,
      [],
    );
    assert.equal(transactions.length, 3, "as the database counts them");
    const [stored] = await database.query<{ events: string }>(
      "SELECT count(*) AS events FROM outbox",
      [],
    );
    assert.deepEqual(stored, { events: "111" });
  });

  it("fail alone when their text cannot be stored, while all others succeed", async () => {
    const { createOrder } = setup;
    const names: string[] = [];
    const outcomes: { name: string; poisoned: boolean; ok: boolean }[] = [];
    for (let round = 0; round < 10; round += 1) {
      const calls = Array.from({ length: 11 }, async (_, nth) => {
        const poisoned = nth === (round * 3) % 11;
        const name = `round ${round} call ${nth}`;
        if (!poisoned) names.push(name);
        const [result] = await Promise.allSettled([
          createOrder("alice", poisoned ? `${name} \u0000` : name),
        ]);
        const ok = result.status === "fulfilled" && result.value.description === name;
        outcomes.push({ name, poisoned, ok });
      });
      await Promise.all(calls);
    }
    const wrong = outcomes.filter(({ poisoned, ok }) => ok === poisoned);
    assert.deepEqual(wrong, []);
    assert.equal(names.length, 100);
    assert.deepEqual((await descriptionsOf()).toSorted(), names.toSorted());
  });
});
