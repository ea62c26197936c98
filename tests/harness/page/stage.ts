import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../../../tools/browser/launch-browser.ts";
import type { TokenIssuer } from "../../../tools/local/config.ts";
import { buildPage, startPage } from "../../../tools/local/parts/page.ts";
import { startNursery } from "../../../tools/local/process/nursery.ts";
import type { Replica, ServiceName, System } from "../system/system.ts";
import { startSystem } from "../system/system.ts";
import { readTestAuth } from "../system/tokens.ts";
import { startVisit, type Visit, type VisitOptions } from "./visit.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** A browser may have to be downloaded. */
const openTimeoutMs = 300_000;

/** A whole system with the page in front of it, and a browser that shows it. */
export type Stage = {
  readonly system: System;
  /** The page's origin. */
  readonly origin: string;
  /** Opens the page in a new browser context. */
  visit(options?: VisitOptions): Promise<Visit>;
  /** Stops a service as a supervisor would. */
  stop(service: ServiceName): Promise<void>;
  /** Restarts it at its port, and resolves when it responds; the edge may notice later. */
  start(service: ServiceName): Promise<void>;
};

let shared: Promise<Stage> | undefined;

/**
 * Call it inside a `describe`. Returns a function with which the tests get the stage that all files
 * of this folder share. The first of them opens it, and it is closed after the last test of the
 * run.
 */
export function useStage(): () => Stage {
  let stage: Stage | undefined;
  before("the page is served", async function () {
    this.timeout(openTimeoutMs);
    shared ??= openShared(rootOf(this.test?.parent));
    stage = await shared;
  });
  return () => {
    if (!stage) throw new Error("the stage is only available in tests and hooks");
    return stage;
  };
}

async function openShared(run: Mocha.Suite): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  run.afterAll("the page is closed", () => stack.disposeAsync());
  return openStage(stack, { browser: await openBrowser(stack), port: testPagePort() });
}

function rootOf(suite: Mocha.Suite | undefined): Mocha.Suite {
  if (!suite) throw new Error("call useStage inside a describe");
  return suite.parent ? rootOf(suite.parent) : suite;
}

/** The browser of the tests; `stack` closes it. */
export async function openBrowser(stack: AsyncDisposableStack): Promise<Browser> {
  const cacheDir = join(root, ".cache");
  const browser = await launchBrowser({ root, cacheDir, env: process.env, log: console.log });
  return stack.adopt(browser, () => browser.close());
}

/**
 * Builds the page, and starts it at `port` with a system behind it; `stack` ends all of it. Users
 * sign in at the issuer of the test run, or at the OpenID provider in the variables `oidc` with
 * `auth`.
 */
export async function openStage(
  stack: AsyncDisposableStack,
  options: {
    readonly browser: Browser;
    readonly port: number;
    readonly auth?: TokenIssuer;
    readonly oidc?: Readonly<Record<string, string>>;
  },
): Promise<Stage> {
  const { browser, port, auth = readTestAuth(), oidc } = options;
  const origin = `http://127.0.0.1:${port}`;
  const data = await mkdtemp(join(tmpdir(), "settle-page-"));
  stack.defer(() => rm(data, { recursive: true, force: true }));
  const folder = join(data, "page");
  const [system] = await Promise.all([
    startSystem({ auth, corsOrigins: [origin] }).then((started) => stack.use(started)),
    buildPage({ root, folder, env: process.env }),
  ]);
  const nursery = stack.use(await startNursery({ folder: data }));
  const signIn = oidc ?? { DEV_ISSUER_URL: auth.issuer };
  const { edgeUrl } = system;
  const start = (service: ServiceName) =>
    // Nothing else uses its health check, and each test that stops a service would wait.
    system.start(service, { port: system.ports[service], env: { DRAIN_MS: "0" } });
  const [orders, payments] = await Promise.all([
    start("orders"),
    start("payments"),
    startPage({ nursery, root, port, folder, edgeUrl, signIn, logLevel: "info" }),
  ]);
  await system.healthy();
  const replicas: Record<ServiceName, Replica> = { orders, payments };
  return {
    system,
    origin,
    visit: (visitOptions = {}) =>
      startVisit({ browser, origin, hosts: [origin, edgeUrl, auth.issuer], ...visitOptions }),
    async stop(service) {
      await replicas[service].stop();
    },
    async start(service) {
      replicas[service] = await start(service);
    },
  };
}

/** Returns a user name that is unique in this run. */
export function someone(): string {
  return `user-${randomBytes(4).toString("hex")}`;
}

function testPagePort(): number {
  const port = Number(process.env.TEST_PAGE_PORT);
  if (port > 0) return port;
  throw new Error("TEST_PAGE_PORT is not set: run the tests with npm test");
}
