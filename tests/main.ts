/** `npm test`: runs all tests, with their own PostgreSQL, RabbitMQ, issuer and Envoy. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readOwnBroker } from "../tools/local/config.ts";
import { startDevIssuer } from "../tools/local/parts/dev-issuer.ts";
import { findEnvoy } from "../tools/local/parts/envoy.ts";
import { findFreePorts } from "../tools/local/ports.ts";
import { startPostgres } from "../tools/local/postgres/postgres.ts";
import {
  type Child,
  type Nursery,
  type SpawnOptions,
  startNursery,
} from "../tools/local/process/nursery.ts";
import { abortOnStop } from "../tools/local/process/stop-signal.ts";
import { startRabbitmq } from "../tools/local/rabbitmq/rabbitmq.ts";
import { createScratchData } from "../tools/local/scratch-data.ts";
import { lastLineOf, readResult, sumOf } from "./harness/runner/counts.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = "{packages,services,edge,tools,tests,bench,web}";
/** In this order: tests with the fewest dependencies run first. */
const kinds = ["unit", "int", "e2e"];
/**
 * Lanes that run in parallel and take about as long, by name: tests of the whole system mostly wait, and
 * leave the CPU to others. The tests of the page join the shorter lane.
 */
const lanes: readonly (readonly [string, readonly string[]])[] = [
  ["system", ["--ignore", "tests/page/**", ...patternsOf(["e2e"])]],
  ["parts-and-page", [...patternsOf(["unit", "int"]), "tests/page/*.e2e.test.ts"]],
];

const usage = `npm test [-- --unit] [-- <mocha's arguments>]

  --unit           runs only the unit tests, which need no PostgreSQL, RabbitMQ or Envoy
  <file or folder> runs only these tests; mocha's arguments (--grep, --bail, ...) work as well`;

/**
 * Starts the dependencies of the tests in `folder` and returns their environment variables:
 * `TEST_POSTGRES_URL` and `TEST_RABBITMQ_MANAGEMENT_URL` with an administrator's credentials;
 * `TEST_AMQP_URL` likewise, without a vhost; `TEST_ISSUER_URL` and `TEST_ISSUER_FOLDER`, the claim
 * `iss` and the key folder of an issuer for the audience `settle`; `TEST_PAGE_PORT`, the port of
 * the only page that gets tokens; and `ENVOY_BIN`.
 */
async function startParts(options: {
  nursery: Nursery;
  folder: string;
  signal: AbortSignal;
}): Promise<NodeJS.ProcessEnv> {
  const { nursery, folder, signal } = options;
  const started = performance.now();
  const [port = 0, amqpPort = 0, managementPort = 0, issuerPort = 0, pagePort = 0] =
    await findFreePorts(5);
  const issuerUrl = `http://127.0.0.1:${issuerPort}`;
  const issuerFolder = join(folder, "issuer");
  const install = { env: process.env, cacheDir: join(root, ".cache"), signal, log: console.log };
  console.log("Starting PostgreSQL, RabbitMQ and an issuer for the tests ...");
  const [postgres, rabbitmq, envoy] = await Promise.all([
    startPostgres({ nursery, dataDir: join(folder, "postgres"), port }),
    readOwnBroker(process.env) ??
      startRabbitmq({
        ...install,
        nursery,
        dataDir: join(folder, "rabbitmq"),
        amqpPort,
        managementPort,
      }),
    findEnvoy(install),
    startDevIssuer({
      nursery,
      root,
      port: issuerPort,
      issuer: issuerUrl,
      audience: "settle",
      folder: issuerFolder,
      corsOrigins: [`http://127.0.0.1:${pagePort}`],
      logLevel: "info",
    }),
  ]);
  console.log(`Started in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  return {
    TEST_POSTGRES_URL: postgres.adminUrl,
    TEST_RABBITMQ_MANAGEMENT_URL: rabbitmq.managementUrl,
    TEST_AMQP_URL: rabbitmq.amqpUrl,
    TEST_ISSUER_URL: issuerUrl,
    TEST_ISSUER_FOLDER: issuerFolder,
    TEST_PAGE_PORT: String(pagePort),
    ENVOY_BIN: envoy,
  };
}

type MochaOptions = {
  readonly nursery: Nursery;
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
};

/** Runs mocha and returns its exit code. */
async function runMocha({ nursery, args, env }: MochaOptions): Promise<number> {
  const { exited } = await spawnMocha({ nursery, args, env, name: "mocha", output: "inherit" });
  return (await exited).code;
}

/**
 * Runs all tests in parallel lanes. The first prints as it runs; the output of the others is
 * printed when they have ended. Returns the exit code.
 */
async function runLanes({ nursery, folder, args, env }: MochaOptions): Promise<number> {
  const runs = lanes.map(async ([name, tests], lane) => {
    const result = join(folder, `${name}.json`);
    const mocha = await spawnMocha({
      nursery,
      args: [...args, ...tests],
      env: { ...env, TEST_RESULT: result },
      name,
      output: lane === 0 ? "inherit" : "log",
    });
    const { code } = await mocha.exited;
    if (lane > 0) console.log(`\n${readFileSync(mocha.logFile, "utf8")}`);
    return { code, ...readResult(result) };
  });
  const ended = await Promise.all(runs);
  // Once more, because their reports lie far above.
  for (const failure of ended.flatMap(({ failures }) => failures)) {
    console.log(`\nFailed: ${failure}`);
  }
  console.log(`\n${lastLineOf(sumOf(ended.map(({ counts }) => counts)))}`);
  return Math.max(...ended.map(({ code }) => code));
}

function spawnMocha(
  options: Pick<MochaOptions, "nursery" | "args" | "env"> & Pick<SpawnOptions, "name" | "output">,
): Promise<Child> {
  const { nursery, args, env, ...rest } = options;
  return nursery.spawn({
    ...rest,
    command: process.execPath,
    args: [join(root, "node_modules/mocha/bin/mocha.js"), ...args],
    cwd: root,
    env: { ...process.env, ...env },
    stopSignal: "SIGINT",
  });
}

function patternsOf(kinds: readonly string[]): readonly string[] {
  return kinds.map((kind) => `${folders}/**/*.${kind}.test.ts`);
}

async function main(signal: AbortSignal): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    console.log(usage);
    return 0;
  }
  const unitOnly = args.includes("--unit");
  // Mocha would load all files of a folder, including those without tests.
  const rest = args
    .filter((arg) => arg !== "--unit")
    .map((arg) => (isFolder(arg) ? join(arg, `**/*.${unitOnly ? "unit." : ""}test.ts`) : arg));
  const chosen = rest.filter((arg) => arg.endsWith(".test.ts"));
  const needsParts = !unitOnly && !(chosen.length > 0 && chosen.every(isUnitTest));

  await using data = createScratchData("settle-test-");
  const { folder } = data;
  await using nursery = await startNursery({ folder });
  signal.addEventListener("abort", () => void nursery[Symbol.asyncDispose]());
  const env = needsParts ? await startParts({ nursery, folder, signal }) : {};
  const strict = process.env.CI ? ["--forbid-only"] : [];
  if (args.length === 0) return await runLanes({ nursery, folder, args: strict, env });
  const what = chosen.length > 0 ? [] : patternsOf(unitOnly ? ["unit"] : kinds);
  return await runMocha({ nursery, folder, args: [...strict, ...rest, ...what], env });
}

function isFolder(arg: string): boolean {
  if (!arg.includes("/")) return false;
  return statSync(join(root, arg), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isUnitTest(file: string): boolean {
  return file.endsWith(".unit.test.ts");
}

const stop = new AbortController();
abortOnStop(stop);
try {
  process.exitCode = await main(stop.signal);
} catch (error) {
  process.exitCode = 1;
  if (!stop.signal.aborted) console.error(error instanceof Error ? error.message : error);
  // The last line of mocha's report, if it had run.
  console.log("0 passed, 1 failed");
}
process.exit();
