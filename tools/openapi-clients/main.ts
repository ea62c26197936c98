/** `npm run openapi:clients`: see {@link usage}. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findGo } from "../local/fetch/go-program.ts";
import { abortOnStop } from "../local/process/stop-signal.ts";
import { startScratchStack } from "../local/scratch-stack.ts";
import type { Client } from "./client.ts";
import { clients } from "./clients.ts";
import { settleDocument, writePublicDocuments } from "./documents.ts";
import type { Stage as RunningSystem } from "./journey.ts";
import { runCommand } from "./run-command.ts";
import { tryClient, workFolder } from "./try-client.ts";
import {
  formatRecord,
  formatVerdicts,
  hashDocument,
  recordFile,
  type Verdict,
} from "./verdicts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const versionTimeoutMs = 10_000;

const usage = `npm run openapi:clients [-- --only <client>]... [-- --settle]

Makes clients from the OpenAPI documents with other teams' generators, compiles them, and takes those
of Settle's document on a journey through a running system, which it starts on free ports with data of
its own. Without options, it writes the verdicts to tools/openapi-clients/verdicts.md.

  --only <client>   uses only this generator; can be repeated. They are:
${clients.map(({ name, language }) => `                      ${name} (${language})`).join("\n")}
  --settle          leaves out the documents of public protos
  --help            shows this help

Tools are downloaded the first time, by version: from npm, PyPI, the Go module proxy and Maven Central.
It needs Python 3.11 with pip. Generated clients and the output of failed programs stay in
tools/openapi-clients/.cache. Exits with 1 if a client of Settle's document fails, or one of public
protos by anything but a known fault of its generator.`;

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      only: { type: "string", multiple: true },
      settle: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const { only = [] } = values;
  for (const name of only) {
    if (!clients.some((client) => client.name === name)) {
      throw new Error(`there is no client ${name}: see --help`);
    }
  }
  const chosen = clients.filter(({ name }) => only.length === 0 || only.includes(name));
  const verdicts: Verdict[] = [];

  const ready: Client[] = [];
  for (const client of chosen) {
    try {
      await client.prepare();
      ready.push(client);
    } catch (error) {
      const reason = (error as Error).message;
      console.log(`${client.name}: not run: ${reason}`);
      verdicts.push({
        client: client.name,
        document: "settle",
        passed: [],
        failed: "prepare",
        reason,
      });
    }
  }

  const documents = new Map([["settle", settleDocument]]);
  if (!values.settle) {
    console.log("Writing the documents of public protos ...");
    const written = await writePublicDocuments(join(workFolder, "documents"));
    for (const [name, path] of written) documents.set(name, path);
  }
  {
    console.log("Starting a system ...");
    await using stack = await startScratchStack({
      root,
      prefix: "settle-clients-",
      page: false,
      signal,
      report: () => {},
    });
    const paymentsPid = stack.pids.get("payments");
    if (paymentsPid === undefined) throw new Error("payments was not started");
    const system: RunningSystem = {
      edgeUrl: `http://localhost:${stack.ports.edge}`,
      paymentsPid,
      token: (userId, scopes) => stack.issuer.sign({ userId, scopes }),
    };
    for (const client of ready)
      verdicts.push(await report(client, "settle", settleDocument, system));
  }
  for (const [name, document] of documents) {
    if (name === "settle") continue;
    for (const client of ready) verdicts.push(await report(client, name, document, undefined));
  }

  console.log(`\n${formatVerdicts(chosen, [...documents.keys()], verdicts)}`);
  const isFull = only.length === 0 && !values.settle;
  if (isFull && ready.length < chosen.length) {
    console.log("\nNot recorded, because tools are missing.");
  } else if (isFull) {
    const record = formatRecord({
      clients,
      documents: [...documents.keys()],
      verdicts,
      run: { date: new Date(), system: `${platform}-${arch}`, versions: await readVersions() },
      hash: hashDocument(settleDocument),
    });
    writeFileSync(recordFile, record);
    console.log(`\nRecorded in ${recordFile}`);
  }
  const failed = verdicts.filter(
    ({ document, failed, fault }) => failed && (document === "settle" || fault === undefined),
  );
  return failed.length === 0 ? 0 : 1;

  async function report(
    client: Client,
    name: string,
    document: string,
    system: RunningSystem | undefined,
  ): Promise<Verdict> {
    process.stdout.write(`${client.name}, ${name}:`);
    const verdict = await tryClient({
      client,
      name,
      document,
      system,
      signal,
      onStage: (stage, ms) => process.stdout.write(` ${stage} (${(ms / 1_000).toFixed(1)} s)`),
    });
    const { failed, reason } = verdict;
    process.stdout.write(failed === undefined ? "\n" : ` FAILED ${failed}: ${reason}\n`);
    return verdict;
  }
}

/** The versions of what is not pinned: it is that of the machine. */
async function readVersions(): Promise<string> {
  const options = { timeoutMs: versionTimeoutMs };
  const python = await runCommand({ command: "python3", args: ["--version"] }, options);
  const go = await runCommand({ command: await findGo(), args: ["env", "GOVERSION"] }, options);
  return `Node ${process.versions.node}, ${python.trim()} and Go ${go.trim().replace(/^go/, "")}`;
}

const stop = new AbortController();
abortOnStop(stop);
try {
  process.exitCode = await main(process.argv.slice(2), stop.signal);
} catch (error) {
  process.exitCode = 1;
  if (!stop.signal.aborted) console.error(error instanceof Error ? error.message : error);
}
process.exit();
