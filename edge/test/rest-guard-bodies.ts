import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isOneValue } from "../../packages/proto-schemas/src/json/well-known.ts";

/** The limit of edge/rest-guard.lua. */
const maxDepth = 100;
const maxItems = 3;
const maxFields = 8;
const unknownNames = ["x", "userid", "UserId", "user__id", "", "@type", "__proto__", "é", "a.b"];
/** What a damaged body has in place of a character. */
const damage = [
  ..."{}[],:\"'\\u019.-+eEntfalsr \t\n\r/*#\u0000\u001f\u007fé€😀",
  "\ufeff",
  "\\ud83d",
];

/** A source of random numbers that depends on its seed only. */
export type Random = {
  /** A whole number from 0 up to, and not including, `end`. */
  below(end: number): number;
  chance(share: number): boolean;
  pick<Of>(from: readonly Of[]): Of;
};

/** Creates a source of random numbers (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    chance: (share) => next() < share,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
  };
}

/**
 * Writes a JSON body for the message: with fields in both spellings, escapes and white space, now
 * and then with an unknown or repeated name or a wrong value, and half of them damaged.
 */
export function writeBody(random: Random, message: DescMessage): Buffer {
  const text = writeMessage(random, message, 0);
  let bytes = Buffer.from(text);
  for (let left = random.chance(0.5) ? random.below(3) : 0; left > 0; left -= 1) {
    const at = random.below(bytes.length + 1);
    const cut = random.below(3);
    const put = random.chance(0.1)
      ? Buffer.from([128 + random.below(128)])
      : Buffer.from(random.pick(damage));
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
  }
  return bytes;
}

function writeMessage(random: Random, message: DescMessage, depth: number): string {
  const entries: string[] = [];
  for (
    let left = random.below(Math.min(message.fields.length + 2, maxFields));
    left > 0;
    left -= 1
  ) {
    const field = random.chance(0.02) ? undefined : random.pick(message.fields);
    const name = field ? random.pick([field.name, field.jsonName]) : random.pick(unknownNames);
    const known = new Set(entries.map((entry) => entry.split(":", 1)[0]));
    const key = writeString(random, name);
    // Most bodies are free of repeated names, or hardly any would be accepted.
    if (known.has(JSON.stringify(name)) && random.chance(0.9)) continue;
    const value = field ? writeValue(random, field, depth) : writeAny(random, depth);
    entries.push(`${key}${space(random)}:${space(random)}${value}`);
  }
  return `{${space(random)}${entries.join(`${space(random)},${space(random)}`)}${space(random)}}`;
}

function writeValue(random: Random, field: DescField, depth: number): string {
  if (random.chance(0.03)) return writeAny(random, depth);
  if (random.chance(0.05)) return "null";
  const one = () => {
    const { message } = field;
    if (!message) return writeScalar(random);
    if (!hasFields(message))
      return random.chance(0.5) ? writeScalar(random) : writeAny(random, depth);
    return depth > 3 ? "{}" : writeMessage(random, message, depth + 1);
  };
  const several = () => Array.from({ length: random.below(maxItems) }, one);
  if (field.fieldKind === "list") return `[${several().join(",")}]`;
  if (field.fieldKind !== "map") return one();
  return `{${several()
    .map((value) => `${writeString(random, random.pick(["1", "2", "true"]))}:${value}`)
    .join(",")}}`;
}

function writeAny(random: Random, depth: number): string {
  if (depth > 4 || random.chance(0.6)) return random.chance(0.2) ? "null" : writeScalar(random);
  const items = Array.from({ length: random.below(maxItems) }, () => writeAny(random, depth + 1));
  if (random.chance(0.5)) return `[${items.join(",")}]`;
  return `{${items.map((item) => `${writeString(random, random.pick(["a", "b"]))}:${item}`).join(",")}}`;
}

function writeScalar(random: Random): string {
  const strings = ["", "alice", "1", "1.5s", "é€😀", "2026-11-22T09:30:00Z", '\u0000\n"\\/'];
  if (random.chance(0.5)) return writeString(random, random.pick(strings));
  return random.pick(["0", "-0", "1", "-12", "1.50", "1e3", "2E-2", "3.0e+1", "true", "false"]);
}

function writeString(random: Random, text: string): string {
  if (random.chance(0.8)) return JSON.stringify(text);
  const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const units = text.split("").map((unit) => {
    const needsEscape = JSON.stringify(unit) !== `"${unit}"`;
    return needsEscape || random.chance(0.3) ? escapeUnit(unit) : unit;
  });
  return `"${units.join("")}"`;
}

function space(random: Random): string {
  return random.chance(0.9) ? "" : random.pick([" ", "\n", "\t", "\r", "  "]);
}

/** A JSON value with all entries of its objects, also those whose names are repeated. */
type Node =
  | { readonly kind: "scalar" | "null" }
  | { readonly kind: "array"; readonly items: readonly Node[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, Node])[] };

/**
 * Whether the guard must accept this body of the message, of which the fields in `taken` are set by
 * the path: read with JSON.parse, and by the descriptors.
 */
export function isAcceptable(
  bytes: Buffer,
  message: DescMessage,
  taken: readonly string[],
): boolean {
  try {
    // Keeps a byte order mark, which JSON does not allow.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
    return fits(readNode(text), message, taken);
  } catch {
    return false;
  }
}

/** Reads a text that JSON.parse accepts. Throws if it has half of a surrogate pair. */
function readNode(text: string): Node {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let at = 0;
  const read = (depth: number): Node => {
    if (depth > maxDepth + 1) throw new Error("nested too deeply");
    const token = tokens[at] ?? "";
    at += 1;
    if (token === "[") {
      const items: Node[] = [];
      while (tokens[at] !== "]") {
        items.push(read(depth + 1));
        if (tokens[at] === ",") at += 1;
      }
      at += 1;
      return { kind: "array", items };
    }
    if (token === "{") {
      const entries: [string, Node][] = [];
      while (tokens[at] !== "}") {
        const name = readString(tokens[at] ?? "");
        at += 2;
        entries.push([name, read(depth + 1)]);
        if (tokens[at] === ",") at += 1;
      }
      at += 1;
      return { kind: "object", entries };
    }
    if (token.startsWith('"')) readString(token);
    return { kind: token === "null" ? "null" : "scalar" };
  };
  return read(0);
}

function readString(token: string): string {
  const text: string = JSON.parse(token);
  if (!text.isWellFormed()) throw new Error("half of a surrogate pair");
  return text;
}

function fits(node: Node, message: DescMessage, taken: readonly string[] = []): boolean {
  if (node.kind !== "object") return false;
  const seen = new Set<DescField>();
  const members = new Set<unknown>();
  return node.entries.every(([name, value]) => {
    const field = message.fields.find((known) => known.name === name || known.jsonName === name);
    if (!field || taken.includes(field.name) || seen.has(field)) return false;
    seen.add(field);
    if (value.kind === "null") return true;
    if (field.oneof) {
      if (members.has(field.oneof)) return false;
      members.add(field.oneof);
    }
    if (field.fieldKind === "list") {
      return value.kind === "array" && value.items.every((item) => fitsOne(item, field));
    }
    if (field.fieldKind === "map") {
      return isFree(value, (entry) => fitsOne(entry, field)) && value.kind === "object";
    }
    return fitsOne(value, field);
  });
}

function fitsOne(node: Node, field: DescField): boolean {
  const { message } = field;
  if (message && hasFields(message)) return fits(node, message);
  switch (message?.typeName ?? field.enum?.typeName) {
    case "google.protobuf.Struct":
    case "google.protobuf.Any":
      return node.kind === "object" && isFree(node);
    case "google.protobuf.ListValue":
      return node.kind === "array" && isFree(node);
    case "google.protobuf.Value":
    case "google.protobuf.NullValue":
      return isFree(node);
  }
  return node.kind === "scalar";
}

/** Whether the names in each object differ, and the entries of this one are acceptable. */
function isFree(node: Node, each: (entry: Node) => boolean = (entry) => isFree(entry)): boolean {
  if (node.kind === "array") return node.items.every(each);
  if (node.kind !== "object") return true;
  const names = new Set(node.entries.map(([name]) => name));
  return names.size === node.entries.length && node.entries.every(([, entry]) => each(entry));
}

function hasFields({ typeName }: DescMessage): boolean {
  return (
    !isOneValue(typeName) && !/^google\.protobuf\.(Any|Struct|ListValue|Value)$/.test(typeName)
  );
}
