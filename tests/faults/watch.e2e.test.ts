import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { OrderStatus, OrderStatusSchema } from "@settle/gen/orders/v1/order_pb";
import fc from "fast-check";
import { createGrpcCaller } from "../harness/calls/protocols.ts";
import { type Watcher, watchers } from "../harness/calls/watchers.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { type Replica, type System, startSystem } from "../harness/system/system.ts";

const seed = 20_261_125;
const userIds = ["watch-1", "watch-2", "watch-3"];
const steps = 240;
const killAfter = 80;

/** The state of a client that watches one user and reopens the stream after each interruption. */
type Follower = {
  readonly protocol: string;
  readonly userId: string;
  /** The last status and revision received for each order. */
  readonly known: ReadonlyMap<string, string>;
  readonly cuts: number;
  /** The largest revision received. */
  readonly revision: bigint;
};

describe("watches while a replica of orders is killed", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;

  before(async () => {
    system = await startSystem({ twoOrders: true });
  });
  after(() => system?.[Symbol.asyncDispose]());

  /** Watches a user until `signal` aborts; waits for `mayResume` before each new stream. */
  const follow = (
    [protocol, watch]: readonly [string, Watcher],
    userId: string,
    options: { readonly signal: AbortSignal; readonly mayResume: () => Promise<void> },
  ) => {
    const { signal, mayResume } = options;
    const known = new Map<string, string>();
    const follower = { protocol, userId, known, cuts: 0, revision: 0n };
    const running = (async () => {
      while (!signal.aborted) {
        try {
          const request = { userId, afterRevision: follower.revision };
          for await (const { revision, event } of watch(request, signal)) {
            if (event.case === "end") break;
            assert.ok(revision >= follower.revision, "revisions never fall");
            follower.revision = revision;
            if (event.case === "order") known.set(event.value.id, stateOf(event.value));
          }
        } catch {
          // Interrupted, or not available yet: the next round retries.
        }
        if (signal.aborted) return;
        follower.cuts += 1;
        await mayResume();
      }
    })();
    return { follower: follower as Follower, running };
  };

  it("deliver every final state of every order, including commits during the interruption", async () => {
    const port = system.secondOrdersPort;
    const { orders } = await system.startBoth();
    const second: Replica = await system.start("orders", { ...(port && { port }) });
    const through = createShopper(history, system.call);
    for (const userId of userIds) await through.fundedAccount(userId, 400n);

    const stop = new AbortController();
    const gate = Promise.withResolvers<void>();
    const mayResume = async () => {
      await gate.promise;
      // A stream that is refused at once must not cause a storm of retries.
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const following = userIds.flatMap((userId) =>
      Object.entries(watchers).map(([protocol, watcher]) =>
        follow([protocol, watcher(system.edgeUrl)], userId, { signal: stop.signal, mayResume }),
      ),
    );
    const followers = following.map(({ follower }) => follower);

    const [plan = []] = fc.sample(
      fc.array(
        fc.record({
          userId: fc.constantFrom(...userIds),
          amountMinor: fc.bigInt(1n, 12n),
          cancel: fc.boolean(),
        }),
        { minLength: steps, maxLength: steps },
      ),
      { numRuns: 1, seed },
    );
    let changedWhileCut = 0;
    using straight = createGrpcCaller(() => second.url);
    const past = createShopper(history, straight.call);
    for (const [nth, { userId, amountMinor, cancel }] of plan.entries()) {
      if (nth === killAfter) await orders.kill();
      const isCut = nth >= killAfter && nth < killAfter + 40;
      // Directly, because the edge has not yet noticed that one of the two is dead.
      const shopper = isCut ? past : through;
      const answer = await shopper.createOrder(userId, amountMinor, { label: `step ${nth}` });
      if (cancel && answer.ok) await shopper.cancelOrder(answer.message);
      if (isCut && answer.ok) changedWhileCut += 1;
      if (nth === killAfter + 40) gate.resolve();
      if (nth === killAfter + 80) await system.start("orders", { port: orders.port });
    }
    const cut = followers.filter(({ cuts }) => cuts > 0).length;
    assert.ok(cut > 0, "the replica that was killed served no stream");
    assert.ok(changedWhileCut > 0, "nothing was committed between the kill and the resume");

    const rows = await eventually("everything is settled", () => readSettled(system), 60_000);
    const expected = Map.groupBy(rows, ({ userId }) => userId);
    for (const { userId, protocol, known } of followers) {
      const own = new Map((expected.get(userId) ?? []).map((row) => [row.id, stateOf(row)]));
      // A hint that was lost with the replica is replaced at the next heartbeat.
      await eventually(`${userId} has seen all by ${protocol}`, () =>
        [...own].every(([id, state]) => known.get(id) === state) ? true : undefined,
      ).catch(() => {});
      assert.deepEqual(sorted(known), sorted(own), `${userId} by ${protocol}`);
    }
    console.log(
      `      ${followers.length} watches, ${cut} cut, ${changedWhileCut} orders placed meanwhile, ${rows.length} final states each brought (seed ${seed})`,
    );
    stop.abort();
    await Promise.all(following.map(({ running }) => running));
    await assertWholeAfterwards(system, history);
  });
});

type Row = { id: string; userId: string; status: OrderStatus; revision: bigint };

/** Returns all orders once none is pending and no event is unpublished; otherwise undefined. */
async function readSettled({ databases }: System): Promise<readonly Row[] | undefined> {
  const { rows } = await databases.orders.query<Row>(
    `SELECT id, user_id AS "userId", status, revision FROM orders`,
  );
  if (rows.some(({ status }) => status === OrderStatus.PENDING_PAYMENT)) return undefined;
  for (const database of [databases.orders, databases.payments]) {
    const outbox = await database.query("SELECT 1 FROM outbox LIMIT 1");
    if (outbox.rows.length > 0) return undefined;
  }
  return rows;
}

function stateOf({ status, revision }: Pick<Row, "status" | "revision">): string {
  return `${OrderStatusSchema.value[status]?.name} at ${revision}`;
}

function sorted(states: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...states].sort(([one], [other]) => (one < other ? -1 : 1));
}
