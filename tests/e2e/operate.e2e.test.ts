import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { OrderCreatedEventSchema } from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { successOf } from "../harness/calls/call.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { fencedBlocks } from "../harness/documents/fenced-blocks.ts";
import { readDeadLetters } from "../harness/system/dead-letters.ts";
import { intercept, peek, publish } from "../harness/system/queues.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const guide = readFileSync(join(root, "docs/how-to/operate.md"), "utf8");
const [
  setBroker = "",
  listQueues = "",
  setOps = "",
  groupLetters = "",
  listLetters = "",
  redrive = "",
  listActions = "",
] = fencedBlocks(guide, "sh operate");
const [
  connections = "",
  outboxDepth = "",
  waitingOrders = "",
  mostKeys = "",
  mostPending = "",
  openTransactions = "",
] = fencedBlocks(guide, "sql operate");

describe("the commands of the operating guide", () => {
  let system: System;
  before(async () => {
    system = await startSystem();
    await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());

  const type = async (...scripts: readonly string[]) => {
    const { vhost } = system.broker;
    const management = String(process.env.TEST_RABBITMQ_MANAGEMENT_URL).replace(/\/$/, "");
    const script = scripts
      .join("\n")
      .replaceAll(/http:\/\/admin:.*@localhost:15672/g, management)
      .replaceAll("http://localhost:8000", system.edgeUrl)
      .replaceAll(/\$\(npm run .* oncall --scope ops\)/g, await tokenOf("oncall", ["ops"]))
      .replaceAll("/queues/settle", `/queues/${vhost}`);
    assert.ok(!script.includes("localhost"), script);
    return (await run("bash", ["-ec", script], { cwd: root })).stdout;
  };

  it("count what waits, and redrive a dead letter that takes effect then", async () => {
    const { adminUrl } = system.broker;
    const shopper = createShopper(createHistory(), system.call);
    await shopper.fundedAccount("mislaid", 100n);
    const [event] = await intercept(
      adminUrl,
      { from: "orders", to: "payments", types: [OrderCreatedEventSchema.typeName] },
      async () => {
        await successOf(shopper.createOrder("mislaid", 10n, { label: "dead" }));
        return 1;
      },
    );
    assert.ok(event);
    const { deadLetters } = topologyOf("payments");
    const headers = { "x-reason": "failed: unknown, 30 times" };
    await publish(adminUrl, deadLetters, [{ ...event, headers }]);

    const { orders } = system.databases;
    const { rows: pools } = await orders.query(connections);
    assert.ok(pools.some(({ application_name: name }) => name === "orders"));
    await eventually("the outbox is empty", async () => {
      const { rows } = await orders.query(outboxDepth);
      return rows[0].waiting === 0n ? true : undefined;
    });
    assert.equal((await orders.query(waitingOrders)).rows.length, 1);
    assert.deepEqual((await orders.query(mostKeys)).rows, [{ user_id: "mislaid", keys: 1n }]);
    assert.deepEqual((await orders.query(mostPending)).rows, [{ user_id: "mislaid", pending: 1n }]);
    const queues = JSON.parse(await type(setBroker, listQueues)) as readonly { name: string }[];
    assert.ok(queues.some(({ name }) => name === deadLetters));
    await eventually("the dead letter is stored", async () =>
      (await readDeadLetters(system.databases.payments)).length > 0 ? true : undefined,
    );
    const groups = JSON.parse(await type(setOps, groupLetters)).groups;
    assert.deepEqual(groups[0].reason, headers["x-reason"]);
    assert.equal(groups[0].count, "1");
    const { deadLetters: letters } = JSON.parse(await type(setOps, listLetters));
    assert.equal(letters[0].eventId, event.messageId);

    assert.equal(JSON.parse(await type(setOps, redrive)).changedCount, 1);
    assert.equal(JSON.parse(await type(setOps, redrive)).changedCount, 0);
    const { actions } = JSON.parse(await type(setOps, listActions));
    assert.deepEqual(
      actions.map(({ actor, changedCount }: { actor: string; changedCount: number }) => [
        actor,
        changedCount,
      ]),
      [
        ["oncall", 0],
        ["oncall", 1],
      ],
    );
    const paid = await eventually("the order is paid", async () => {
      const { rows } = await orders.query("SELECT status FROM orders");
      return rows[0].status === OrderStatus.PAID ? true : undefined;
    });
    assert.ok(paid);
    assert.deepEqual(await peek(adminUrl, deadLetters), []);
    assert.deepEqual((await orders.query(waitingOrders)).rows, []);
    const holder = await orders.connect();
    await holder.query("BEGIN");
    const { rows: open } = await orders.query(openTransactions);
    assert.ok(open.some(({ query }) => query === "BEGIN"));
    await holder.query("ROLLBACK");
    holder.release();
  });
});
