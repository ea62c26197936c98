/** `npm run release -- <version>`: see {@link usage}. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { FileRegistry } from "@bufbuild/protobuf";
import { serviceNames } from "../../services/services.ts";
import { fetchThirdPartyProtos } from "../generate/third-party-protos.ts";
import { abortOnStop } from "../local/process/stop-signal.ts";
import { tapEvents } from "./event-tap.ts";
import { play } from "./play.ts";
import {
  countEvents,
  type PlayedCall,
  type RecordedEvent,
  type Recording,
  readTypes,
  recordedEvent,
} from "./recording.ts";
import { scenario } from "./scenario.ts";
import { startRecordedSystem } from "./system.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const document = join(root, "gen/openapi/settle.json");
const eventsPauseMs = 100;
const eventsMaxPauses = 100;

const usage = `npm run release -- <version> [--help]

Stores the current contract as a release in proto/releases/<version>/: its descriptors, its OpenAPI
document, and a recording of calls, responses and events. For the recording it starts a system with its
own ports and data. The version must be the one in gen/openapi/settle.json.

  --help   shows this help`;

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(usage);
  const [version = "", ...more] = positionals;
  if (!/^\d+\.\d+\.\d+$/.test(version) || more.length > 0) throw new Error(usage);
  const folder = join(root, "proto/releases", version);
  if (existsSync(folder)) throw new Error(`${folder} already exists`);
  const { info } = JSON.parse(readFileSync(document, "utf8")) as { info: { version: string } };
  if (info.version !== version) throw new Error(`${document} has the version ${info.version}`);
  await keep(folder, version, signal);
  console.log(`proto/releases/${version} is complete`);
}

/** The folder gets its name when it is complete: half a release would count as the newest one. */
async function keep(folder: string, version: string, signal: AbortSignal): Promise<void> {
  await fetchThirdPartyProtos(root);
  const scratch = join(root, "proto/releases", `.${version}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  try {
    const image = join(scratch, "image.binpb");
    const build = ["build", "proto", "--exclude-source-info", "-o", image];
    execFileSync("buf", build, { cwd: root, stdio: "inherit" });
    copyFileSync(document, join(scratch, "openapi.json"));
    const recording = await record(readTypes(image), signal);
    const text = `${JSON.stringify(recording, undefined, 1)}\n`;
    writeFileSync(join(scratch, "recording.json"), text);
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function record(types: FileRegistry, signal: AbortSignal): Promise<Recording> {
  await using system = await startRecordedSystem({ root, signal, log: console.log });
  const events: RecordedEvent[] = [];
  await using _ = await tapEvents(system.amqpUrl, serviceNames, (message) =>
    events.push(recordedEvent(message)),
  );
  const calls: PlayedCall[] = [];
  await play({ ...system, types }, scenario(), (step, answer) => {
    calls.push({ ...step, answer });
  });
  const expected = countEvents(calls);
  for (let waits = 0; events.length < expected; waits++) {
    if (waits > eventsMaxPauses)
      throw new Error(`only ${events.length} of ${expected} events arrived`);
    await pause(eventsPauseMs);
  }
  console.log(`${calls.length} calls and ${events.length} events recorded`);
  return { calls, events: [...events] };
}

const stop = new AbortController();
abortOnStop(stop);
try {
  await main(process.argv.slice(2), stop.signal);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
process.exit();
