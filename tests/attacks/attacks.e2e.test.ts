import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccounts, placeLongOrders } from "../harness/attacks/accounts.ts";
import type { Attack, Tally, User } from "../harness/attacks/attack.ts";
import { type AttackedSystem, skewedBy } from "../harness/attacks/attacked-system.ts";
import { audit } from "../harness/attacks/audit.ts";
import { attacks } from "../harness/attacks/catalog.ts";
import { type GoodTraffic, startGoodTraffic } from "../harness/attacks/good-traffic.ts";
import { type HealthWatch, watchHealth } from "../harness/attacks/health-watch.ts";
import { faultsOf, missesOf, runAttack, windowOf } from "../harness/attacks/measure.ts";
import { type MemoryWatch, watchMemory } from "../harness/attacks/memory-watch.ts";
import { startSystem } from "../harness/system/system.ts";
import { openTestIssuer } from "../harness/system/tokens.ts";

const callsPerSecond = 20;
const goodUsers = 10;
const attackers = 61;
/** Longer than the attack with the clock ahead. */
const tokenLifetimeS = 30 * 24 * 3_600;
/** Without those after which somebody else must start a process again, or bring a queue back. */
const tested = attacks.filter(({ name }) => !/^(killed|deleted)-/.test(name));
/** Attacks of one kind run at the same time. */
const kindOf = ({ name }: Attack) => /^(left|stalled|locked)|resets$/.exec(name)?.[0] ?? name;

/** The goal of `npm run attack` is 300 MB on a quiet machine. */
const mostMemoryMb = 350;

describe("attacks", function () {
  this.timeout(90_000);
  const running = new AsyncDisposableStack();
  let system: AttackedSystem;
  let users: readonly User[];
  let traffic: GoodTraffic;
  let health: HealthWatch;
  let memory: MemoryWatch;
  /** What each attack did. */
  const did = new Map<string, Tally>();
  /** The most memory of each service, in megabytes, by kind of attack. */
  const peaks = new Map<string, Readonly<Record<string, number>>>();

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-attacks-"));
    running.defer(() => rmSync(folder, { recursive: true, force: true }));
    const started = running.use(await startSystem());
    const clockFile = join(folder, "clock-ahead");
    const [orders, payments] = await Promise.all([
      started.start("orders", { port: started.ports.orders, env: skewedBy(clockFile) }),
      started.start("payments", { port: started.ports.payments }),
    ]);
    await started.healthy();
    const { broker, databases, edgeUrl } = started;
    const issuer = await openTestIssuer();
    system = {
      port: Number(new URL(edgeUrl).port),
      issuer,
      databases,
      adminUrl: broker.adminUrl,
      vhost: broker.vhost,
      manage: broker.manage,
      pids: () => new Map(Object.entries({ orders: orders.pid, payments: payments.pid })),
      setClockAhead: (aheadMs) => writeFileSync(clockFile, String(aheadMs)),
      ...needingSupervisor,
    };
    const usersOf = (prefix: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, async (_, at) => {
          const userId = `${prefix}-${at}`;
          const token = await issuer.sign({ userId, lifetimeS: tokenLifetimeS });
          return { userId, authorization: `Bearer ${token}` };
        }),
      );
    const good = await usersOf("good", goodUsers);
    users = await usersOf("attacker", attackers);
    await openAccounts(system.port, [...good, ...users]);
    await placeLongOrders(system.port, users[0] as User);
    traffic = running.use(
      startGoodTraffic({ port: system.port, users: good, perSecond: callsPerSecond }),
    );
    health = running.use(watchHealth(system.port));
    memory = running.use(watchMemory(system.pids));
  });
  after(() => running.disposeAsync());

  for (const [kind, ofKind] of Map.groupBy(tested, kindOf)) {
    it(`of the kind ${kind} fail no call of others, and health goes on serving`, async () => {
      const run = (attack: Attack) =>
        runAttack({ attack, form: "short", system, attackers: users });
      const runs = await Promise.all(ofKind.map(run));
      const startMs = Math.min(...runs.map((one) => one.startMs));
      const endMs = Math.max(...runs.map((one) => one.endMs));
      await traffic.ended(endMs);
      for (const [at, { name }] of ofKind.entries()) did.set(name, runs[at]?.did ?? {});
      peaks.set(kind, memory.peakMb(startMs, endMs));
      const { calls, reasons } = windowOf(traffic, startMs, endMs);
      assert.ok(calls > 0, "there were no good calls");
      assert.deepEqual(reasons, [], "good calls failed");
      assert.deepEqual(missesOf(health, startMs, endMs), [], "/healthz was missed");
      const faults = ofKind.flatMap((attack, at) => faultsOf(attack, runs[at]?.did ?? {}));
      assert.deepEqual(faults, [], "an attack did not run");
      if (kind === "locked") assertNoneWaited(traffic, startMs, runs[0]?.marksMs[0] ?? startMs);
    });
  }

  it("leave each service below its memory", () => {
    const above = Array.from(peaks).flatMap(([kind, peakMb]) =>
      Object.entries(peakMb)
        .filter(([, used]) => used > mostMemoryMb)
        .map(([service, used]) => `${service}: ${used} MB in attacks of the kind ${kind}`),
    );
    assert.deepEqual(above, []);
    assert.ok(peaks.size > 0, "no memory was read");
  });

  it("leave each answered order paid once, and balances equal to the ledger", async () => {
    await traffic[Symbol.asyncDispose]();
    assert.deepEqual(await audit(system, traffic.answered, did), []);
  });
});

/** Fails if calls of others that were due early under a lock ended only after it. */
function assertNoneWaited({ calls, payments }: GoodTraffic, startMs: number, unlockMs: number) {
  const early = (startMs + unlockMs) / 2;
  const under = [...calls, ...payments].filter(({ dueMs }) => dueMs >= startMs && dueMs < early);
  assert.ok(under.length > 0, "no call was due under the lock");
  const waited = under.filter(({ dueMs, tookMs }) => dueMs + tookMs >= unlockMs);
  assert.equal(waited.length, 0, "calls of others waited until the row was unlocked");
}

/** What no attack in this file uses. */
const needingSupervisor = {
  kill: () => assert.fail("nobody restarts it"),
  async provisionQueues() {},
  countLogLines: () => 0,
};
