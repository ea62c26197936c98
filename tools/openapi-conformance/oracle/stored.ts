import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { Facts, FactsByOperation } from "./facts.ts";

/** Large sets are stored compressed. */
const plainLimitCharacters = 50_000;

/** Loads the facts of grpc-gateway's generator about the set, as of its last run. */
export function loadFacts(set: string): FactsByOperation {
  return new Map(
    readText(set)
      .split("\n")
      .slice(0, -1)
      .map((line) => readLine(line)),
  );
}

/** Stores its facts about the set; returns the name and size of the file. */
export function storeFacts(set: string, facts: FactsByOperation): string {
  const lines = [...facts].map(writeLine).sort();
  const text = lines.map((line) => `${line}\n`).join("");
  const isPlain = text.length <= plainLimitCharacters;
  const content = isPlain ? Buffer.from(text) : compress(text);
  const file = isPlain ? plainFile(set) : compressedFile(set);
  writeFileSync(file, content);
  return `${file}, ${content.length} bytes`;
}

const plainFile = (set: string) => join(import.meta.dirname, "stored", `${set}.txt`);
const compressedFile = (set: string) => `${plainFile(set)}.br`;

function readText(set: string): string {
  try {
    return readFileSync(plainFile(set), "utf8");
  } catch {
    return brotliDecompressSync(readFileSync(compressedFile(set))).toString();
  }
}

function compress(text: string): Buffer {
  const params = {
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  };
  return brotliCompressSync(text, { params });
}

function writeLine([operation, facts]: readonly [string, Facts]): string {
  return [
    operation,
    facts.method,
    facts.pathParameters,
    facts.query.join(" "),
    facts.body?.join(" ") ?? "-",
    facts.answer.join(" "),
    facts.statuses.join(" "),
    facts.deprecated ? "deprecated" : "",
  ].join("\t");
}

function readLine(line: string): readonly [string, Facts] {
  const [operation = "", method = "", pathParameters, query = "", body = "", ...rest] =
    line.split("\t");
  const [answer = "", statuses = "", deprecated] = rest;
  const list = (text: string) => (text === "" ? [] : text.split(" "));
  return [
    operation,
    {
      method,
      pathParameters: Number(pathParameters),
      query: list(query),
      body: body === "-" ? undefined : list(body),
      answer: list(answer),
      statuses: list(statuses),
      deprecated: deprecated === "deprecated",
    },
  ];
}
