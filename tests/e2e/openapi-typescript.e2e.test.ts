import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const client = join(root, "tests/clients/openapi-typescript");
const timeoutMs = 60_000;

describe("a client typed by openapi-typescript from the OpenAPI document alone", function () {
  this.timeout(3 * timeoutMs);
  let system: System;
  before(async () => {
    system = await startSystem();
    await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());

  it("compiles with our strict settings and completes the tour at the edge", async () => {
    const generator = join(client, "node_modules/.bin/openapi-typescript");
    const document = join(root, "gen/openapi/settle.json");
    await run(generator, [document, "--output", join(client, ".cache/document.ts")], {
      timeout: timeoutMs,
    });
    const compiled = run("tsc", ["--project", client], { timeout: timeoutMs });
    await compiled.catch(({ stdout }) => assert.fail(stdout));
    const { stdout } = await run(process.execPath, [join(client, "tour.ts"), system.edgeUrl], {
      env: {
        ...process.env,
        USER_ID: "typist",
        TOKEN: await tokenOf("typist"),
        ADMIN_TOKEN: await tokenOf("carol", ["admin"]),
      },
      timeout: timeoutMs,
    });
    assert.equal(stdout, "the tour is as the document says\n");
  });
});
