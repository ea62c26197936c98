import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readProgram } from "../harness/documents/sdk-readme.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { readTestAuth } from "../harness/system/tokens.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const markdown = readFileSync(join(root, "packages/sdk/README.md"), "utf8");
const timeoutMs = 60_000;

describe("the examples of the SDK's README", function () {
  this.timeout(2 * timeoutMs);
  let system: System;
  let folder: string;
  before(async () => {
    // Inside the repository, so that its packages are found.
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache/sdk-readme-"));
    system = await startSystem();
    await system.startBoth();
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it("compile together, and print the output in their comments", async () => {
    const { source, printed } = readProgram(markdown);
    assert.ok(printed.length >= 12, `only ${printed.length} lines are printed`);
    const program = join(folder, "program.ts");
    writeFileSync(
      program,
      source
        .replaceAll("http://localhost:8000", system.edgeUrl)
        .replaceAll("http://localhost:8003", readTestAuth().issuer),
    );
    const config = { extends: "../../tsconfig.json", include: ["program.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiled = run("tsc", ["--project", folder], { timeout: timeoutMs });
    await compiled.catch(({ stdout }) => assert.fail(stdout));
    const env = { ...process.env, AMQP_URL: system.broker.adminUrl };
    const { stdout } = await run(process.execPath, [program], { env, timeout: timeoutMs });
    assert.deepEqual(stdout.trimEnd().split("\n"), printed);
  });
});
