import assert from "node:assert/strict";
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { eventually } from "@settle/chassis/testing";
import { localPorts } from "../local-ports.ts";
import { findPrometheus } from "../parts/prometheus.ts";
import { findFreePorts } from "../ports.ts";
import { readCommandLine, readProcessIdentity } from "../process/process-identity.ts";
import { createScratchData, type ScratchData } from "../scratch-data.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Settings that people have for programs of their own. */
const ofOthers = {
  PGSSLMODE: "require",
  PGOPTIONS: "-cdefault_transaction_read_only=on",
  NODE_USE_ENV_PROXY: "1",
  HTTP_PROXY: "http://127.0.0.1:9",
  NO_PROXY: "",
  PIP_REQUIRE_VIRTUALENV: "true",
};

describe("npm start", function () {
  this.timeout(180_000);
  let data: ScratchData;
  let dataDir: string;
  let env: NodeJS.ProcessEnv;
  /** Whether a Prometheus can be had here. */
  let observe: boolean;

  before(async () => {
    observe = await findPrometheus({
      env: process.env,
      cacheDir: join(root, ".cache"),
      log: console.log,
    }).then(
      () => true,
      (error) => {
        console.log(`      without Prometheus: ${error.message}`);
        return false;
      },
    );
    data = createScratchData("settle-start-");
    // A name that Erlang cannot use.
    dataDir = join(data.folder, "Проект, it's");
    const variables = Object.values(localPorts).map(({ variable }) => variable);
    const ports = await findFreePorts(variables.length);
    const chosen = Object.fromEntries(variables.map((name, at) => [name, String(ports[at])]));
    env = { ...process.env, ...chosen, ...ofOthers, DATA_DIR: dataDir };
  });
  after(() => data[Symbol.asyncDispose]());

  it("accepts orders, restarts programs that end, and leaves no process behind", async () => {
    const started = start(env, observe ? ["--", "--observe"] : []);
    try {
      const welcome = await started.printed("Ctrl-C stops");
      const commands = welcome.split("\n").filter((line) => line.startsWith("  curl"));
      assert.equal(commands.length, 5);
      signIn(welcome);
      for (const command of commands) type(command);
      await eventually("the first order is paid", () => balanceShownBy(commands, "7500"));

      await servesPage();
      await servesMetrics();
      if (observe) await fillsDashboards();

      await refusesSecondStart(
        { sameFolder: true },
        /is already running from this folder, as process \d+/,
      );
      await refusesSecondStart(
        { sameFolder: false },
        /Port \d+ for the edge \(Envoy\) cannot be used: it is taken by process \d+: .*envoy/,
      );

      const children = readPids();
      const keys = await readIssuerKeys();
      const issuer = children.find((pid) => readCommandLine(pid).includes("dev-issuer"));
      assert.ok(issuer);
      process.kill(issuer, "SIGKILL");
      await started.printed("dev issuer: died (ended by SIGKILL; starting again now)");
      await started.printed("dev issuer: ready", 2);
      assert.equal(await readIssuerKeys(), keys);

      const broker = children.find((pid) => readCommandLine(pid).includes("beam"));
      assert.ok(broker);
      process.kill(broker, "SIGKILL");
      await started.printed("RabbitMQ: died (ended by SIGKILL; starting again now)");
      await started.printed("RabbitMQ: ready", 2);
      type(commands[2] ?? "");
      await eventually("the second order is paid", () => balanceShownBy(commands, "5000"));

      const last = readPids();
      // It cannot pass this on.
      started.process.kill("SIGKILL");
      await eventually("all that it has started ends", () =>
        [...children, ...last].some((pid) => readProcessIdentity(pid) !== undefined)
          ? undefined
          : true,
      );
      await eventually("its list is gone", () =>
        existsSync(join(dataDir, "processes")) ? undefined : true,
      );
    } finally {
      started.process.kill("SIGTERM");
      await started.exited;
    }
  });

  function type(command: string): string {
    return execFileSync("sh", ["-c", command], { cwd: root, env, encoding: "utf8" });
  }

  /** Runs the line that sets `auth`, for all later commands. */
  function signIn(welcome: string): void {
    const line = welcome.split("\n").find((one) => one.startsWith("  auth=")) ?? "";
    env = { ...env, auth: type(`${line}; printf %s "$auth"`) };
    assert.match(env.auth ?? "", /^authorization: Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
  }

  function balanceShownBy(commands: readonly string[], minorUnits: string): true | undefined {
    return JSON.parse(type(commands.at(-1) ?? "")).balance.minorUnits === minorUnits
      ? true
      : undefined;
  }

  /** Checks that the page is built, knows this stack, and is allowed by the edge and the issuer. */
  /** Each part has metrics of its own, on its own port. */
  async function servesMetrics(): Promise<void> {
    const expected = {
      EDGE: ["/stats/prometheus", "envoy_server_live"],
      RABBITMQ: ["/metrics", "rabbitmq_connections"],
      ORDERS: ["/metrics", "settle_orders_total"],
      PAYMENTS: ["/metrics", "settle_payments_total"],
      WEB: ["/metrics", "settle_page_responses_total"],
      PROVISIONER: ["/metrics", "settle_provisioner_looks_total"],
    };
    for (const [part, [path, metric]] of Object.entries(expected)) {
      // The provisioner may still be starting.
      await eventually(`${part} serves ${metric}`, async () => {
        const url = `http://127.0.0.1:${env[`${part}_METRICS_PORT`]}${path}`;
        const text = await fetch(url).then(
          (response) => response.text(),
          () => "",
        );
        return text.includes(`\n${metric}`) || undefined;
      });
    }
  }

  /** Each query of each dashboard has data, once something of each kind has happened. */
  async function fillsDashboards(): Promise<void> {
    const hasData = (query: string) =>
      eventually(`there is data for ${query}`, async () => {
        const url = `http://127.0.0.1:${env.PROMETHEUS_PORT}/api/v1/query`;
        const response = await fetch(url, { method: "POST", body: new URLSearchParams({ query }) });
        const { status, data } = (await response.json()) as {
          readonly status: string;
          readonly data: { readonly result: readonly unknown[] };
        };
        assert.equal(status, "success", query);
        return data.result.length > 0 || undefined;
      });
    // Only what happens between two looks is seen as a change.
    await hasData("count(up == 1) == 6");
    const orders = `-H "$auth" http://localhost:${env.EDGE_PORT}/gateway/orders`;
    const large = { userId: "erin", amount: { minorUnits: "999999", currency: "USD" } };
    type(`curl -sS ${orders} -d '${JSON.stringify({ ...large, description: "declined" })}'`);
    type(`curl -sS ${orders}/erin/${randomUUID()}`);
    const files = globSync("deploy/observability/dashboards/*.json", { cwd: root });
    const queries = files.flatMap((file) =>
      JSON.parse(readFileSync(join(root, file), "utf8")).panels.flatMap(
        ({ targets = [] }: { readonly targets?: readonly { readonly expr: string }[] }) =>
          targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "1m")),
      ),
    );
    assert.ok(queries.length > 20);
    await Promise.all(queries.map(hasData));
  }

  async function servesPage(): Promise<void> {
    const origin = `http://localhost:${env.WEB_PORT}`;
    const edgeUrl = `http://localhost:${env.EDGE_PORT}`;
    const issuerUrl = `http://localhost:${env.AUTH_PORT}`;
    const html = await (await fetch(`${origin}/orders`)).text();
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(html) ?? [];
    assert.equal((await fetch(`${origin}${script}`)).status, 200);
    assert.deepEqual(await (await fetch(`${origin}/config.json`)).json(), {
      edgeUrl,
      signIn: { kind: "development", issuerUrl },
      development: true,
    });
    for (const url of [`${edgeUrl}/gateway/orders`, `${issuerUrl}/token`]) {
      const headers = { origin, "access-control-request-method": "POST" };
      const answer = await fetch(url, { method: "OPTIONS", headers });
      assert.equal(answer.headers.get("access-control-allow-origin"), origin, url);
    }
  }

  async function readIssuerKeys(): Promise<string> {
    const answer = await fetch(`http://localhost:${env.AUTH_PORT}/.well-known/jwks.json`);
    return answer.text();
  }

  async function refusesSecondStart(where: { sameFolder: boolean }, why: RegExp): Promise<void> {
    await using other = createScratchData("settle-start-");
    const second = start({ ...env, DATA_DIR: where.sameFolder ? dataDir : other.folder });
    assert.deepEqual(await second.exited, [1, null]);
    assert.match(second.read(), why);
  }

  /** The listed processes, without the first, which started the others. */
  function readPids(): number[] {
    const lines = readFileSync(join(dataDir, "processes"), "utf8").trim().split("\n");
    return lines.slice(1).map((line) => Number.parseInt(line, 10));
  }
});

type Started = {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<unknown[]>;
  /** The output so far. */
  read(): string;
  /** Waits until these words were printed this many times, and returns all output. */
  printed(words: string, times?: number): Promise<string>;
};

function start(env: NodeJS.ProcessEnv, args: readonly string[] = []): Started {
  const child = spawn("npm", ["start", "--silent", ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const news = new EventEmitter();
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      news.emit("more");
    });
  }
  const exited = once(child, "close");
  return {
    process: child,
    exited,
    read: () => output,
    async printed(words, times = 1) {
      while (output.split(words).length <= times) {
        const ended = exited.then(() => "ended");
        const what = await Promise.race([once(news, "more"), ended]);
        assert.notEqual(what, "ended", `it ended before it printed "${words}":\n${output}`);
      }
      return output;
    },
  };
}
