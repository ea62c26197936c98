import assert from "node:assert/strict";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually, limitQueue } from "@settle/chassis/testing";
import { OrderCreatedEventSchema, PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { successOf } from "../harness/calls/call.ts";
import { assertWhole, assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type Shopper } from "../harness/checker/history.ts";
import { depthOf, onBroker, peek } from "../harness/system/queues.ts";
import { type System, startSystem } from "../harness/system/system.ts";

const room = 3;
const deadLetterRoom = 10;
const ordersPlaced = 30;
const archive = topologyOf("archive");

// Its program never runs: the queue of a service that the contract names in `also_to` only.
describe("a service for which nobody waits", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let shopper: Shopper;

  before(async () => {
    system = await startSystem({
      alsoTo: {
        archive: {
          orders: [OrderCreatedEventSchema.typeName],
          payments: [PaymentResultEventSchema.typeName],
        },
      },
    });
    await limitQueue(system.broker, archive.work, room);
    await limitQueue(system.broker, archive.deadLetters, deadLetterRoom);
    await system.startBoth();
    shopper = createShopper(history, system.call);
    await shopper.fundedAccount("watched", 1_000n);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const placeAndSettle = async (label: string) => {
    // One after the other, so that each event is a message: the bounds count messages.
    for (let placed = 0; placed < ordersPlaced; placed += 1) {
      await successOf(shopper.createOrder("watched", 1n, { label }));
    }
    // Also that both outboxes are empty.
    await assertWhole(system, history);
    const { rows } = await system.databases.orders.query<{ status: number; count: bigint }>(
      "SELECT status, count(*) FROM orders WHERE description LIKE $1 GROUP BY status",
      [`${label} %`],
    );
    assert.deepEqual(rows, [{ status: OrderStatus.PAID, count: BigInt(ordersPlaced) }]);
  };

  it("holds nothing back when its queue is full, and finds there what is newest", async () => {
    await placeAndSettle("full");
    const { adminUrl } = system.broker;
    await onBroker(adminUrl, async (channel) => {
      for (const [queue, count] of [
        [archive.work, room],
        [archive.deadLetters, deadLetterRoom],
      ] as const) {
        await eventually(`${queue} has been cut to its bound`, async () =>
          (await depthOf(channel, queue)).waiting === count ? true : undefined,
        );
      }
    });
    const events = [
      ...(await peek(adminUrl, archive.work)),
      ...(await peek(adminUrl, archive.deadLetters)),
    ];
    assert.equal(new Set(events.map(({ messageId }) => messageId)).size, room + deadLetterRoom);
  });

  it("holds nothing back when its queue does not exist", async () => {
    const { manage, vhost } = system.broker;
    await manage("DELETE", `queues/${vhost}/${archive.work}`);
    await placeAndSettle("missing");
  });

  it("leaves the system whole", () => assertWholeAfterwards(system, history));
});
