import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "./client.ts";

/** What is tried, in this order; each needs the one before. */
export const stages = ["generates", "compiles", "runs"] as const;
export type Stage = (typeof stages)[number];

/** How far a client came with a document. */
export type Verdict = {
  readonly client: string;
  /** `settle`, or the package of public protos. */
  readonly document: string;
  /** The stages that it passed. */
  readonly passed: readonly Stage[];
  /** The stage that failed; `prepare` if a tool is missing on this machine. */
  readonly failed?: Stage | "prepare";
  /** Why it failed. */
  readonly reason?: string;
  /** The fault of the generator, if this is a known one. */
  readonly fault?: string;
};

/** The committed record of the last full run. */
export const recordFile = join(import.meta.dirname, "verdicts.md");

/**
 * Returns the hash of the document without titles, descriptions, examples and servers: a better
 * comment in a proto does not make the record old.
 */
export function hashDocument(path: string): string {
  const isForPeople = (key: string, value: unknown) =>
    ["info", "servers", "examples"].includes(key) ||
    (["description", "summary"].includes(key) && typeof value === "string");
  const text = JSON.stringify(JSON.parse(readFileSync(path, "utf8")), (key, value) =>
    isForPeople(key, value) ? undefined : value,
  );
  return createHash("sha256").update(text).digest("hex");
}

/** Reads from the record for which document it was written. */
export function readRecordedHash(): string | undefined {
  return /`([0-9a-f]{64})`/.exec(readFileSync(recordFile, "utf8"))?.[1];
}

/** Writes the verdict of one stage in a word. */
function cellOf(verdict: Verdict | undefined, stage: Stage): string {
  if (!verdict || verdict.failed === "prepare") return "not run";
  if (verdict.passed.includes(stage)) return "yes";
  return verdict.failed === stage ? "**no**" : "–";
}

/** Returns the tables of the verdicts, and the reasons of failures. */
export function formatVerdicts(
  clients: readonly Client[],
  documents: readonly string[],
  verdicts: readonly Verdict[],
): string {
  const find = (client: string, document: string) =>
    verdicts.find((verdict) => verdict.client === client && verdict.document === document);
  const settle = clients.map(({ name, language, watch }) => [
    name,
    language,
    ...stages.map((stage) => cellOf(find(name, "settle"), stage)),
    watch,
  ]);
  const others = documents.filter((document) => document !== "settle");
  const publicOnes = clients.map(({ name }) => [
    name,
    ...others.map((document) => {
      const verdict = find(name, document);
      const cells = stages.slice(0, 2).map((stage) => cellOf(verdict, stage));
      return cells[0] === cells[1] ? (cells[0] ?? "") : cells.join(", ");
    }),
  ]);
  const reasons = verdicts
    .filter(({ reason }) => reason !== undefined)
    .map(({ client, document, failed, reason, fault }) => {
      const what = failed === "prepare" ? "was not run" : `does not ${failed?.replace(/s$/, "")}`;
      const why = `\`${reason?.replaceAll("`", "'")}\``;
      return `- ${client} ${what} (${document}): ${why}${fault ? `. A fault of the generator: ${fault}.` : ""}`;
    });
  return [
    "## The client of Settle's document",
    "",
    "`Watch` is how the journey reads WatchOrders: by the client (typed), or from the raw response,",
    "because the client has no server-sent events.",
    "",
    tableOf(["Client", "Language", "Generates", "Compiles", "Runs", "Watch"], settle),
    ...(others.length === 0
      ? []
      : [
          "",
          "## Clients of public protos",
          "",
          "Whether a client is generated from our plugin's document of the package and compiles.",
          "",
          tableOf(["Client", ...others], publicOnes),
        ]),
    "",
    "## Reasons",
    "",
    ...(reasons.length === 0 ? ["Nothing failed."] : reasons),
  ].join("\n");
}

/** Returns the text of the record. */
export function formatRecord(options: {
  readonly clients: readonly Client[];
  readonly documents: readonly string[];
  readonly verdicts: readonly Verdict[];
  /** When and where the clients were made. */
  readonly run: { readonly date: Date; readonly system: string; readonly versions: string };
  readonly hash: string;
}): string {
  const { clients, documents, verdicts, run, hash } = options;
  const tools = new Map(clients.flatMap(({ tools }) => tools).map((tool) => [tool.name, tool]));
  const rows = [...tools.values()].map(({ name, version, license }) => [name, version, license]);
  return [
    "# Generated clients",
    "",
    "Written by `npm run openapi:clients`, which makes clients from the OpenAPI documents with the",
    "generators below, compiles them, and takes Settle's clients on a journey through a running system.",
    "",
    `Run on ${run.date.toISOString().slice(0, 10)} on ${run.system}, with ${run.versions}.`,
    "",
    "The document, `gen/openapi/settle.json` without texts for people, had the SHA-256",
    `\`${hash}\`.`,
    "",
    formatVerdicts(clients, documents, verdicts),
    "",
    "## Tools",
    "",
    tableOf(["Tool", "Version", "Licence"], rows),
    "",
  ].join("\n");
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
