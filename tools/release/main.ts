/** `npm run release -- <version>`: see {@link usage}. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { FileRegistry } from "@bufbuild/protobuf";
import { fetchThirdPartyProtos } from "../generate/third-party-protos.ts";
import { tapEvents } from "./event-tap.ts";
import { play } from "./play.ts";
import {
  type PlayedAnswer,
  type RecordedEvent,
  type Recording,
  readTypes,
  recordedEvent,
} from "./recording.ts";
import { countEvents, isServed, type Step, scenario } from "./scenario.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const eventsPauseMs = 100;
const eventsMaxPauses = 100;

const usage = `npm run release -- <version> --amqp <url> [--edge <url>] [--no-tokens]

Keeps the present contract as a release, in proto/releases/<version>/: its descriptors, its OpenAPI
document, and how a running system answers calls and writes events. Start it before, with nothing in
it: npm start -- --fresh

  --amqp       the broker, with an administrator's name and password and the vhost, such as
               amqp://admin:$(cat .data/rabbitmq/admin-password)@localhost:5672/settle
  --edge       the edge (http://localhost:8000)
  --no-tokens  calls without tokens
  --only-record  keeps what is there of the release, and records again`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    amqp: { type: "string" },
    edge: { type: "string", default: "http://localhost:8000" },
    "no-tokens": { type: "boolean", default: false },
    "only-record": { type: "boolean", default: false },
    help: { type: "boolean" },
  },
});
const [version = ""] = positionals;
if (values.help || !values.amqp || !/^\d+\.\d+\.\d+$/.test(version)) {
  console.log(usage);
  process.exit(values.help ? 0 : 1);
}
const folder = join(root, "proto/releases", version);
await (values["only-record"] ? keepRecording(folder, values.amqp) : keepAll(values.amqp));
console.log(`proto/releases/${version} is complete`);

/** Half a release would count as the newest one: it gets its name when it is complete. */
async function keepAll(amqpUrl: string): Promise<void> {
  if (existsSync(folder)) throw new Error(`${folder} is there already`);
  await fetchThirdPartyProtos(root);
  const scratch = join(root, "proto/releases", `.${version}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  try {
    keepContract(scratch);
    await keepRecording(scratch, amqpUrl);
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function keepContract(to: string): void {
  const image = ["build", "proto", "--exclude-source-info", "-o", join(to, "image.binpb")];
  execFileSync("buf", image, { cwd: root, stdio: "inherit" });
  copyFileSync(join(root, "gen/openapi/settle.json"), join(to, "openapi.json"));
}

async function keepRecording(to: string, amqpUrl: string): Promise<void> {
  const recording = await record(readTypes(join(to, "image.binpb")), amqpUrl);
  writeFileSync(join(to, "recording.json"), `${JSON.stringify(recording, undefined, 1)}\n`);
}

async function record(types: FileRegistry, amqpUrl: string): Promise<Recording> {
  const methods = new Set(
    [...types].flatMap((type) =>
      type.kind === "service" ? type.methods.map(({ name }) => `${type.typeName}/${name}`) : [],
    ),
  );
  const steps = (["rest", "binary"] as const)
    .flatMap(scenario)
    .filter((step) => isServed(step, methods));
  const events: RecordedEvent[] = [];
  await using _ = await tapEvents(amqpUrl, ["orders", "payments"], (message) =>
    events.push(recordedEvent(message)),
  );
  const calls: (Step & { readonly answer: PlayedAnswer })[] = [];
  await play({ edgeUrl: values.edge, types, token }, steps, (step, answer) => {
    if (calls.length === 0 && answer.status !== 200) {
      throw new Error(`an account is there already: npm start -- --fresh (${answer.status})`);
    }
    calls.push({ ...step, answer });
  });
  const expected = countEvents(steps);
  for (let waits = 0; events.length < expected; waits++) {
    if (waits > eventsMaxPauses) throw new Error(`${events.length} of ${expected} events came`);
    await pause(eventsPauseMs);
  }
  console.log(`${calls.length} calls and ${events.length} events recorded`);
  return { calls, events: [...events] };
}

async function token(user: string, admin: boolean): Promise<string | undefined> {
  if (values["no-tokens"]) return undefined;
  const args = [join(root, "tools/dev-issuer/token.ts"), user, ...(admin ? ["--admin"] : [])];
  return execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
}
