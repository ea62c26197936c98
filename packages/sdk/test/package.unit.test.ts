import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildLibrary } from "../../../tools/build-package/library.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** The oldest TypeScript that the README promises, with which other clients are compiled as well. */
const oldestTypeScript = createRequire(join(root, "tools/openapi-clients/package.json"));
const maxPageKilobytes = 45;
const maxMoneyKilobytes = 2;

/** An example of a program of another team. */
const nodeProgram = `
  import { createSettle, grpc, money, OrderNotCancellableError, type Settle } from "@settle/sdk/node";
  const settle: Settle = createSettle({
    baseUrl: "http://127.0.0.1:1",
    transport: grpc({ channel: { "grpc.keepalive_time_ms": 5_000 } }),
    token: async () => "a-token",
    maxRetries: 0,
  });
  const call = settle.orders.createOrder({ userId: "alice", amount: money("2.50", "EUR") });
  const error = await call.catch((reason: unknown) => reason);
  console.log((error as Error).name, error instanceof OrderNotCancellableError);
  await settle[Symbol.asyncDispose]();
`;
const pageProgram = `
  import { createSettle, formatMoney, grpcWeb, type WatchOrdersChange } from "@settle/sdk";
  const settle = createSettle({ baseUrl: location.origin, token: "t", transport: grpcWeb() });
  for await (const { order, revision } of settle.orders.watchOrders({ userId: "alice" })) {
    const change: WatchOrdersChange = { kind: "order", order, revision };
    if (order.amount) document.title = formatMoney(order.amount) + change.kind;
  }
`;
const commonJsProgram = `
  const { createSettle, formatMoney } = require("@settle/sdk");
  console.log(typeof createSettle, formatMoney({ minorUnits: 5n, currency: "EUR" }, "en"));
`;

describe("the published package", function () {
  this.timeout(60_000);
  let folder: string;
  let built: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-sdk-"));
    built = join(folder, "node_modules/@settle/sdk");
    buildLibrary(join(root, "packages/sdk"), built);
    // The dependencies that npm would install, and those that users provide.
    for (const scope of ["@bufbuild", "@connectrpc", "@grpc", "@types", "undici-types"]) {
      symlinkSync(join(root, "node_modules", scope), join(folder, "node_modules", scope));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (command: string, ...args: string[]) => {
    try {
      return (await promisify(execFile)(command, args, { cwd: folder })).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${command}: ${stdout}${stderr}`);
    }
  };
  const write = (name: string, text: string) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  /** Bundles as a page would, and returns the code and which files are in it. */
  const bundle = async (code: string) => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: code, resolveDir: folder },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
      metafile: true,
    });
    const [output] = Object.values(metafile.outputs);
    const used = Object.entries(output?.inputs ?? {}).filter(
      ([, { bytesInOutput }]) => bytesInOutput,
    );
    const bytes = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
    return { kilobytes: bytes / 1024, files: used.map(([file]) => file) };
  };

  it("passes publint and attw without a warning", async () => {
    assert.match(await run("publint", built), /All good/);
    await run("attw", "--pack", built, "--profile", "esm-only");
  });

  it("has types that compile in a program for Node and in a page, with old and new TypeScript", async () => {
    const { version } = oldestTypeScript("typescript/package.json");
    const readme = readFileSync(join(root, "packages/sdk/README.md"), "utf8");
    assert.ok(readme.includes(`TypeScript ${version.replace(/\.\d+$/, "")} or newer`), version);
    const options = {
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      module: "esnext",
      moduleResolution: "bundler",
      target: "esnext",
    };
    const forNode = { types: ["node"], skipLibCheck: true };
    const forPage = {
      types: [],
      lib: ["es2024", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"],
    };
    write("node-program.ts", nodeProgram);
    write("page-program.ts", pageProgram);
    for (const [program, more] of [
      ["node-program", forNode],
      ["page-program", forPage],
    ] as const) {
      const compilerOptions = { ...options, ...more };
      const config = JSON.stringify({ compilerOptions, files: [`${program}.ts`] });
      const project = write(`${program}.json`, config);
      await run("tsc", "--project", project);
      await run(process.execPath, oldestTypeScript.resolve("typescript/bin/tsc"), "-p", project);
    }
  });

  it("runs as packed, with import and with require", async () => {
    write("package.json", `{ "type": "module" }`);
    const printed = await run(process.execPath, write("node-program.ts", nodeProgram));
    assert.equal(printed, "UnavailableError false\n");
    const required = await run(process.execPath, write("program.cjs", commonJsProgram));
    assert.equal(required, "function €0.05\n");
  });

  it(`is less than ${maxPageKilobytes} KB in a page, without anything of Node`, async () => {
    const { kilobytes, files } = await bundle(`export * from "@settle/sdk"`);
    console.log(`      ${kilobytes.toFixed(1)} KB, minified and compressed`);
    assert.ok(kilobytes < maxPageKilobytes, `${kilobytes} KB`);
    assert.deepEqual(
      files.filter((file) => /@grpc\/|src\/grpc|buf\/validate/.test(file)),
      [],
    );
  });

  it("is tree-shaken to what a page uses", async () => {
    const { kilobytes, files } = await bundle(
      `import { money } from "@settle/sdk"; console.log(money("1", "EUR"))`,
    );
    console.log(`      ${kilobytes.toFixed(1)} KB, minified and compressed`);
    assert.ok(kilobytes < maxMoneyKilobytes, `${kilobytes} KB of ${files}`);
  });
});
