import assert from "node:assert/strict";
import type { Logger } from "pino";
import type { CheckedClock } from "../../src/base/clock.ts";
import { type Faults, noFaults } from "../../src/base/faults.ts";
import { newId } from "../../src/base/new-id.ts";
import { createBroker, type Publisher } from "../../src/broker/broker.ts";
import { type EventRoute, publicationsOf } from "../../src/contract/routes.ts";
import { topologyOf } from "../../src/contract/topology.ts";
import { createOutbox, type Outbox, type OutboxEvent } from "../../src/events/outbox.ts";
import type { EventBatches } from "../../src/events/relay.ts";
import { createTestBroker, eventually, testClock, testLog } from "../../src/testing.ts";
import { madeUpEvent } from "../contract/made-up-event.ts";
import { setupDatabase } from "../database/chassis-database.ts";

/** A publisher without a broker. */
export const away: Publisher = {
  ready: false,
  publish: async () => assert.fail("nothing is published while the broker is away"),
  onReady: () => () => {},
};

/**
 * A database with an outbox, and a broker where a service `sender` publishes events `test.v1.<name>`
 * that travel as `events` says, and others get what `listensTo` says, which may be less.
 */
export async function setupOutbox(options: {
  readonly events: Readonly<Record<string, Omit<EventRoute, "from">>>;
  readonly listensTo: Readonly<Record<string, readonly string[]>>;
  readonly notWaitedFor?: readonly string[];
}) {
  await using setup = new AsyncDisposableStack();
  const { listensTo, notWaitedFor = [] } = options;
  const publications = publicationsOf(
    "sender",
    Object.entries(options.events).map(([name, travels]) =>
      madeUpEvent(name, { from: "sender", ...travels }),
    ),
  );
  const { database } = setup.use(await setupDatabase());
  const listeners = Object.entries(listensTo).map(([name, types]) => [name, { sender: types }]);
  const testBroker = setup.use(
    await createTestBroker({ sender: {}, ...Object.fromEntries(listeners) }, { notWaitedFor }),
  );
  const broker = setup.use(
    createBroker({ url: testBroker.adminUrl, name: "outbox test", log: testLog }),
  );
  await eventually("the broker is ready", () => broker.publisher.ready || undefined);
  const waiting = async () => {
    const rows = await database.query<{ id: string }>("SELECT id FROM outbox ORDER BY id", []);
    return rows.map((row) => row.id);
  };
  const running = setup.move();
  return {
    database,
    testBroker,
    broker,
    outboxOver: (
      publisher: Publisher,
      maxDepth = 1_000,
      {
        batches = "off",
        clock = testClock,
        log = testLog,
        faults = noFaults,
      }: {
        readonly batches?: EventBatches;
        readonly clock?: CheckedClock;
        readonly log?: Logger;
        readonly faults?: Faults;
      } = {},
    ): Outbox =>
      createOutbox({
        database,
        publisher,
        exchange: topologyOf("sender").events,
        publications,
        maxDepth,
        batches,
        newId,
        clock,
        log,
        faults,
      }),
    eventOf: (body: string, type: string): OutboxEvent => ({
      id: newId(),
      type,
      userId: "alice",
      payload: Buffer.from(body),
      createTimeMs: Date.now(),
    }),
    write: (outbox: Outbox, events: readonly OutboxEvent[]) =>
      database.transaction((transaction) => outbox.write(transaction, events)),
    /** The ids in the outbox. */
    waiting,
    empty: async () => ((await waiting()).length === 0 ? true : undefined),
    /** Makes what waits in the outbox wait for a sweep. */
    lapse: () =>
      database.query("UPDATE outbox SET claimed_until = now() - interval '1 second'", []),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type OutboxSetup = Awaited<ReturnType<typeof setupOutbox>>;
