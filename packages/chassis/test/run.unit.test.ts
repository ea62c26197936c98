import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs a service in a process of its own; it is asked to stop at the first word it says. */
async function stop(start: string) {
  const main = `
    import { pino } from "pino";
    import { runService } from ${JSON.stringify(new URL("../src/run.ts", import.meta.url).href)};
    setInterval(() => {}, 1_000);
    await runService(pino({ level: "silent" }), ${start}, 300);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", main], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exit]);
  const startedMs = performance.now();
  child.kill("SIGTERM");
  const [code] = await exit;
  return { code, tookMs: performance.now() - startedMs };
}

describe("a service that is told to stop", () => {
  it("ends with 0 once it has stopped", async () => {
    const { code } = await stop(
      `async () => { setTimeout(console.log, 0, "up"); return { async [Symbol.asyncDispose]() {} }; }`,
    );
    assert.equal(code, 0);
  });

  it("ends with 1 in time if its stop does not end", async () => {
    const { code, tookMs } = await stop(
      `async () => { setTimeout(console.log, 0, "up"); return { [Symbol.asyncDispose]: () => new Promise(() => {}) }; }`,
    );
    assert.equal(code, 1);
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
  });

  it("ends with 1 in time if its start does not end", async () => {
    const { code, tookMs } = await stop(
      `() => { console.log("starting"); return new Promise(() => {}); }`,
    );
    assert.equal(code, 1);
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
  });
});
