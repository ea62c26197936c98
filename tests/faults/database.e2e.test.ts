import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "@settle/chassis/testing";
import { Client } from "pg";
import { findFreePorts } from "../../tools/local/ports.ts";
import { type RunningPostgres, startPostgres } from "../../tools/local/postgres/postgres.ts";
import { startNursery } from "../../tools/local/process/nursery.ts";
import { createScratchData } from "../../tools/local/scratch-data.ts";
import { assertWhole, assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper, type Shopper } from "../harness/checker/history.ts";
import { type Load, startLoad } from "../harness/checker/load.ts";
import { type System, startSystem } from "../harness/system/system.ts";

const userIds = ["restart-1", "restart-2"];
/** The number of calls that must succeed after a fault. */
const callsAfter = 20;

describe("a database under load", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  const parts = new AsyncDisposableStack();
  let startDatabase: () => Promise<RunningPostgres>;
  let postgres: RunningPostgres;
  let system: System;
  let shopper: Shopper;

  before(async () => {
    const { folder } = parts.use(createScratchData("settle-database-"));
    const dataDir = join(folder, "postgres");
    const nursery = parts.use(await startNursery({ folder }));
    const [port = 0] = await findFreePorts(1);
    startDatabase = () => startPostgres({ nursery, dataDir, port });
    postgres = await startDatabase();
    system = parts.use(await startSystem({ postgresUrl: postgres.adminUrl }));
    await system.startBoth();
    shopper = createShopper(history, system.call);
    for (const userId of userIds) await shopper.fundedAccount(userId, 1_000n);
  });
  after(() => parts.disposeAsync());

  const asAdmin = async (work: (admin: Client) => Promise<void>) => {
    const admin = new Client({ connectionString: postgres.adminUrl });
    // Some of the faults end this connection as well.
    admin.on("error", () => {});
    await admin.connect();
    await work(admin);
    await admin.end();
  };
  const survive = async (label: string, fault: (load: Load) => Promise<void>) => {
    await using load = startLoad({ shopper, userIds, label: () => label });
    const more = (count: number) => {
      const before = load.ended.ok;
      return eventually(`${count} more calls succeed`, () =>
        load.ended.ok >= before + count ? true : undefined,
      );
    };
    await more(callsAfter);
    await fault(load);
    await more(callsAfter);
    // All errors were reported as retryable and not as the caller's fault.
    assert.deepEqual([...load.refusals], load.ended.unknown > 0 ? ["14 UNAVAILABLE"] : []);
  };

  it("that drops every connection loses nothing", async () => {
    await survive("connections dropped", () =>
      asAdmin(async (admin) => {
        await admin.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`,
        );
      }),
    );
    await assertWhole(system, history);
  });

  it("that crashes and recovers loses nothing", async () => {
    await survive("database crashed", () =>
      asAdmin(async (admin) => {
        // Killing one backend makes the server end all others and recover.
        const { rows } = await admin.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        assert.ok(rows[0]);
        process.kill(rows[0].pid, "SIGKILL");
      }),
    );
    await assertWhole(system, history);
  });

  it("that is restarted loses nothing", async () => {
    await survive("database restarted", async (load) => {
      await postgres[Symbol.asyncDispose]();
      await eventually("calls fail", () => (load.ended.unknown > 0 ? true : undefined));
      postgres = await startDatabase();
    });
    await assertWholeAfterwards(system, history);
  });
});
