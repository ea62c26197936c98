import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDevIssuer } from "../../local/parts/dev-issuer.ts";
import { findFreePorts } from "../../local/ports.ts";
import { startNursery } from "../../local/process/nursery.ts";
import { runTool } from "../../local/process/run-tool.ts";
import { readDevIssuerConfig } from "../config.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const toolTimeoutMs = 20_000;

describe("the development issuer's configuration", () => {
  const complete = { ISSUER_URL: "http://localhost:8003", KEYS_FOLDER: "/keys" };

  it("has defaults for all but its name and its keys", () => {
    assert.deepEqual(readDevIssuerConfig(complete), {
      host: "127.0.0.1",
      port: 8080,
      issuerUrl: "http://localhost:8003",
      audience: "settle",
      keysFolder: "/keys",
      corsOrigins: ["http://localhost:5173", "http://localhost:8000"],
      logLevel: "info",
    });
  });

  it("reads the origins of pages that may request tokens, separated by commas", () => {
    const corsOrigins = ["https://page.example", "http://localhost:5173"];
    const variables = { ...complete, CORS_ORIGINS: corsOrigins.join(",") };
    assert.deepEqual(readDevIssuerConfig(variables).corsOrigins, corsOrigins);
  });

  it("reports every fault at once, including production", () => {
    const faulty = {
      ISSUER_URL: "http://localhost:8003/",
      CORS_ORIGINS: "http://localhost:5173/page,*",
      NODE_ENV: "production",
    };
    assert.throws(
      () => readDevIssuerConfig(faulty),
      (error: Error) => {
        for (const name of ["ISSUER_URL", "KEYS_FOLDER", "CORS_ORIGINS", "NODE_ENV"]) {
          assert.match(error.message, new RegExp(`^  ${name}: `, "m"));
        }
        return true;
      },
    );
  });
});

describe("the development issuer's process", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-issuer-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const start = async (nursery: Awaited<ReturnType<typeof startNursery>>) => {
    const [port = 0] = await findFreePorts(1);
    const devIssuer = await startDevIssuer({
      nursery,
      root,
      port,
      issuer: "http://localhost:8003",
      audience: "settle",
      folder: join(folder, "issuer"),
      logLevel: "info",
    });
    return { child: devIssuer.child, port };
  };
  const readKeys = async (port: number) =>
    (await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`)).text();
  const printToken = (port: number, ...args: string[]) =>
    runTool(process.execPath, ["tools/bootstrap.mjs", "tools/dev-issuer/token.ts", ...args], {
      env: { ...process.env, AUTH_PORT: String(port) },
      timeoutMs: toolTimeoutMs,
    });

  it("refuses to run in production", () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, "tools/dev-issuer/main.ts")],
      {
        env: {
          ISSUER_URL: "http://localhost:8003",
          KEYS_FOLDER: join(folder, "issuer"),
          NODE_ENV: "production",
        },
        encoding: "utf8",
        timeout: toolTimeoutMs,
      },
    );
    assert.equal(status, 1);
    assert.match(stderr, /NODE_ENV: .* it does not run in production$/m);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("stops on a signal and has the same keys after a restart", async () => {
    await using nursery = await startNursery({ folder });
    const first = await start(nursery);
    const keys = await readKeys(first.port);
    await first.child.stop();
    assert.deepEqual(await first.child.exited, { code: 0, reason: "exit code 0" });
    const second = await start(nursery);
    assert.equal(await readKeys(second.port), keys);
  });

  it("prints a token and nothing else, by npm run token", async () => {
    await using nursery = await startNursery({ folder });
    const { port } = await start(nursery);
    const claimsOf = (printed: string) => {
      const [, payload = ""] = /^[\w-]+\.([\w-]+)\.[\w-]+\n$/.exec(printed) ?? [];
      const { sub, scope } = JSON.parse(Buffer.from(payload, "base64url").toString());
      return { sub, scope };
    };
    assert.deepEqual(claimsOf(await printToken(port, "alice")), { sub: "alice", scope: undefined });
    assert.deepEqual(claimsOf(await printToken(port, "root", "--admin", "--scope", "deposit x")), {
      sub: "root",
      scope: "admin deposit x",
    });
    await assert.rejects(printToken(port, "a b"), /failed \(1\): username must be/);
    await assert.rejects(printToken(port), /failed \(1\): .*--admin/s);
    assert.match(await printToken(port, "--help"), /^npm run --silent token/);
  });

  it("is reported as unreachable by npm run token in one line", async () => {
    const [port = 0] = await findFreePorts(1);
    await assert.rejects(
      printToken(port, "alice"),
      /failed \(1\): The development issuer does not respond at \S+: run `npm start` first\.$/,
    );
  });
});
