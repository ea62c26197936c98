import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@settle/chassis/testing";
import { ClaimedElsewhere } from "../../process/claim.ts";
import { type Nursery, type SpawnOptions, startNursery } from "../../process/nursery.ts";
import { readProcessIdentity } from "../../process/process-identity.ts";
import { PartFailure, waitUntilReady } from "../../process/ready.ts";

const nurseryModule = new URL("../../process/nursery.ts", import.meta.url).href;

describe("a nursery", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-nursery-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const sleeper: SpawnOptions = { name: "sleeper", command: "sleep", args: ["60"], env: {} };

  /** A child that writes its name into the file `order` when it receives SIGTERM. */
  const witness = (name: string): SpawnOptions => ({
    name,
    command: process.execPath,
    args: [
      "-e",
      `process.on("SIGTERM", () => { fs.appendFileSync("order", "${name} "); process.exit(0); });
       setInterval(() => {}, 1000); console.log("ready");`,
    ],
    cwd: folder,
    env: {},
  });

  async function spawnReady(nursery: Nursery, options: SpawnOptions) {
    const child = await nursery.spawn(options);
    const isReady = async () => readFileSync(child.logFile, "utf8").includes("ready");
    await waitUntilReady({ what: options.name, child, isReady, timeoutMs: 10_000 });
    return child;
  }

  it("stops its children in reverse order, a restarted one at its first position", async () => {
    const nursery = await startNursery({ folder });
    const first = await spawnReady(nursery, witness("first"));
    const second = await spawnReady(nursery, witness("second"));
    process.kill(first.pid, "SIGKILL");
    assert.deepEqual(await first.exited, { code: 137, reason: "ended by SIGKILL" });
    rmSync(first.logFile);
    const restarted = await spawnReady(nursery, witness("first"));
    assert.deepEqual(Object.fromEntries(nursery.pids()), {
      first: restarted.pid,
      second: second.pid,
    });
    await nursery[Symbol.asyncDispose]();
    assert.equal(readFileSync(join(folder, "order"), "utf8"), "second first ");
  });

  it("kills a child that does not stop in time", async () => {
    const nursery = await startNursery({ folder });
    const child = await spawnReady(nursery, {
      name: "deaf",
      command: "sh",
      args: ["-c", 'trap "" TERM; echo ready; while :; do sleep 1; done'],
      env: { PATH: process.env.PATH },
      stopTimeoutMs: 100,
    });
    await nursery[Symbol.asyncDispose]();
    assert.deepEqual(await child.exited, { code: 137, reason: "ended by SIGKILL" });
  });

  it("rejects a folder that is in use, and new children after it closes", async () => {
    const nursery = await startNursery({ folder });
    await assert.rejects(startNursery({ folder }), ClaimedElsewhere);
    const closing = nursery[Symbol.asyncDispose]();
    await assert.rejects(nursery.spawn(sleeper), /the nursery is stopping/);
    await closing;
    await (await startNursery({ folder }))[Symbol.asyncDispose]();
  });

  it("leaves no child behind when its process is killed", async () => {
    const owner = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { startNursery } from ${JSON.stringify(nurseryModule)};
         const nursery = await startNursery({ folder: ${JSON.stringify(folder)} });
         const child = await nursery.spawn(${JSON.stringify(sleeper)});
         console.log(child.pid);
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [output] = await once(owner.stdout, "data");
    const pid = Number(output);
    assert.notEqual(readProcessIdentity(pid), undefined);
    owner.kill("SIGKILL");
    // The guard removes the list when all processes on it have stopped.
    await eventually("the guard has stopped it", () =>
      existsSync(join(folder, "processes")) ? undefined : true,
    );
    assert.equal(readProcessIdentity(pid), undefined);
  });

  it("does not stop another process that has the pid of a former child", async () => {
    const stranger = spawn("sleep", ["60"]);
    await once(stranger, "spawn");
    writeFileSync(join(folder, "processes"), `1 SIGTERM 0\n${stranger.pid} SIGKILL 0\n`);
    await (await startNursery({ folder }))[Symbol.asyncDispose]();
    assert.equal(stranger.signalCode, null);
    stranger.kill();
  });

  it("quotes the end of the log if a child ends while starting", async () => {
    await using nursery = await startNursery({ folder });
    const child = await nursery.spawn({
      name: "broken",
      command: "sh",
      args: ["-c", "echo no such thing; exit 3"],
      env: {},
    });
    const waiting = waitUntilReady({
      what: "The broken one",
      child,
      isReady: async () => false,
      timeoutMs: 10_000,
    });
    await assert.rejects(waiting, (error) => {
      assert.ok(error instanceof PartFailure);
      assert.match(error.message, /^The broken one ended while starting \(exit code 3\)/);
      assert.match(error.message, /no such thing$/);
      return true;
    });
  });
});
