/**
 * `npm run bench:edge [-- <pairs>]`: measures what the REST guard costs: the CPU time of Envoy per
 * call, with the guard and without it. Two Envoys run side by side in front of services that store
 * nothing, and are called in alternation (ABAB), so that other load on the machine affects both
 * alike. Needs Linux, whose kernel reports the CPU time.
 */
import { mkdirSync } from "node:fs";
import { startLab } from "../edge/test/lab.ts";
import { findEnvoy } from "../tools/local/parts/envoy.ts";
import { readCpuSeconds } from "./cpu.ts";
import { createEdgeClient } from "./edge-client.ts";
import { readPairs, spread } from "./pairs.ts";
import { sendInLanes } from "./schedule.ts";
import { cacheDir } from "./system.ts";

const defaultPairs = 7;
const secondsPerRun = 1.5;
const lanes = 8;
/** One user at one address sends everything. */
const raised = {
  requestsPerSecond: 100_000,
  requestsPerSecondPerAddress: 100_000,
  requestsPerSecondPerUser: 100_000,
};
const guarded = `envoy.filters.http.lua: *on
                            envoy.filters.http.grpc_json_transcoder: *on`;

const usage = `npm run bench:edge [-- <pairs>]

Prints the CPU time of Envoy per call in microseconds, with the REST guard and without it, as median
(min - max), and the median of the differences of each pair. With ${defaultPairs} pairs (the default), it takes
about two minutes.`;

const amount = { minorUnits: "250", currency: "EUR" };
const orderOf = (bytes: number) => {
  const empty = JSON.stringify({ userId: "alice", amount, description: "" });
  return JSON.stringify({ userId: "alice", amount, description: "x".repeat(bytes - empty.length) });
};
const order = "/gateway/orders/alice/0190a7e4-0000-7000-8000-000000000001";
/** A request without a body is a GET. */
const requests: Readonly<Record<string, readonly [path: string, body?: string]>> = {
  "an order of 120 bytes": ["/gateway/orders", orderOf(120)],
  "an order of 1,000 bytes": ["/gateway/orders", orderOf(1_000)],
  "a cancellation without a body": [`${order}:cancel`, ""],
  "reading an order": [order],
};

const pairs = readPairs(usage, defaultPairs);

mkdirSync(cacheDir, { recursive: true });
process.env.ENVOY_BIN = await findEnvoy({ env: process.env, cacheDir, log: console.log });
await using stack = new AsyncDisposableStack();
const start = async (changes: Readonly<Record<string, string>>) => {
  const lab = stack.use(await startLab({ settings: raised, changes }));
  const client = stack.use(createEdgeClient(lab.port));
  /** Returns the CPU time of Envoy per call, in microseconds. */
  return async (path: string, body: string | undefined): Promise<number> => {
    const cpuSeconds = () => readCpuSeconds(new Map([["envoy", lab.pid]])).get("envoy") ?? 0;
    const before = cpuSeconds();
    let calls = 0;
    await sendInLanes(lanes, secondsPerRun, async () => {
      calls += 1;
      const asked =
        body === undefined
          ? client.get(path, lab.authorization)
          : client.post(path, lab.authorization, body);
      const { status, body: answer } = await asked;
      if (status !== 200) throw new Error(`${path}: ${status} ${answer}`);
    });
    return ((cpuSeconds() - before) * 1e6) / calls;
  };
};
const withGuard = await start({});
const without = await start({ [guarded]: "envoy.filters.http.grpc_json_transcoder: *on" });

for (const [name, value] of Object.entries(raised)) console.log(`${name} raised to ${value}`);
console.log(`${pairs} pairs; microseconds of CPU per call as median (min - max)\n`);
console.log(["request".padEnd(32), "with".padEnd(24), "without".padEnd(24), "difference"].join(""));
for (const [name, [path, body]] of Object.entries(requests)) {
  // The first run of each warms up connections, caches and LuaJIT.
  await withGuard(path, body);
  await without(path, body);
  const costs: (readonly [number, number])[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    costs.push([await withGuard(path, body), await without(path, body)]);
  }
  const [a, b] = [costs.map(([one]) => one), costs.map(([, other]) => other)];
  const difference = costs.map(([one, other]) => one - other);
  console.log(
    [name.padEnd(32), spread(a, 1).padEnd(24), spread(b, 1).padEnd(24), spread(difference, 1)].join(
      "",
    ),
  );
}
