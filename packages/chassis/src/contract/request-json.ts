import {
  type DescField,
  type DescMessage,
  fromJson,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, refuseFields } from "./errors.ts";

/** How deeply objects and arrays may be nested. */
const maxDepth = 32;

/**
 * Reads a message from the protobuf JSON mapping, as UTF-8. Everything that is sent counts or is
 * refused: refuses a field that the schema does not have, one that is set more than once
 * (`minorUnits` and `minor_units` are the same field), and a number, duration or time that is not
 * what it looks like, with VALIDATION_FAILED and the path of the field. Throws any other error for
 * a text that is not UTF-8, not JSON, nested too deeply or not a message of this schema.
 */
export function readRequestJson(schema: DescMessage, bytes: Uint8Array): Message {
  const text = utf8.decode(bytes);
  const json = JSON.parse(text);
  const faults = faultsIn(schema, text);
  if (faults.length > 0) throw refuseFields(faults);
  return fromJson(schema, json);
}

// With the byte order mark kept, which JSON does not allow.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What JSON may stand for a field or message. */
type Expected = {
  /** By both of its names. Undefined if any names may occur, as in a map. */
  readonly fields?: ReadonlyMap<string, { readonly name: string; readonly expected: Expected }>;
  /** The values of a map. */
  readonly values?: Expected;
  /** Returns whether a string or number, as JSON, is read as exactly what it says. */
  readonly isExact?: (token: string) => boolean;
};

/**
 * JSON.parse keeps the last of repeated names, and protobuf-es does not say where an unknown name
 * is. So this reads `text`, which must be valid JSON, once more, by tokens.
 */
function faultsIn(schema: DescMessage, text: string): readonly FieldViolation[] {
  const faults: FieldViolation[] = [];
  // Skips white space, because it searches.
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  const next = () => tokens.exec(text)?.[0] ?? "";

  const readObject = ({ fields, values = anything }: Expected, path: string, depth: number) => {
    const seen = new Set<string>();
    for (let token = next(); token !== "}"; token = next()) {
      if (token === ",") token = next();
      const name = textOf(token);
      const field = fields?.get(name);
      const place = path === "" ? name : `${path}.${name}`;
      const own = field?.name ?? name;
      if (fields && !field) faults.push({ field: place, description: "no such field" });
      else if (seen.has(own)) faults.push({ field: place, description: "set more than once" });
      seen.add(own);
      next(); // the colon
      read(next(), field?.expected ?? values, place, depth);
    }
  };
  const read = (token: string, expected: Expected, path: string, depth: number) => {
    if (depth > maxDepth) throw new Error(`nested more than ${maxDepth} levels deep`);
    if (token === "{") {
      readObject(expected, path, depth + 1);
    } else if (token === "[") {
      let index = 0;
      for (let item = next(); item !== "]"; item = next()) {
        if (item === ",") item = next();
        read(item, expected, `${path}[${index}]`, depth + 1);
        index += 1;
      }
    } else if (/^["\d-]/.test(token) && expected.isExact?.(token) === false) {
      faults.push({ field: path, description: "not in the format of this field" });
    }
  };
  read(next(), expectedOf(schema), "", 0);
  return faults;
}

function textOf(token: string): string {
  return token.includes("\\") ? JSON.parse(token) : token.slice(1, -1);
}

const anything: Expected = {};
const expectations = new WeakMap<DescMessage, Expected>();

function expectedOf(message: DescMessage): Expected {
  const known = expectations.get(message);
  if (known) return known;
  if (hasCustomJsonRepresentation(message)) {
    const isExact = exactFormats.get(message.typeName);
    return isExact ? { isExact } : anything;
  }
  const fields = new Map<string, { name: string; expected: Expected }>();
  // Before the fields are read, because a message may contain itself.
  expectations.set(message, { fields });
  for (const field of message.fields) {
    const entry = { name: field.name, expected: expectedOfField(field) };
    fields.set(field.name, entry).set(field.jsonName, entry);
  }
  return { fields };
}

function expectedOfField(field: DescField): Expected {
  if (field.fieldKind === "map") {
    return { values: field.mapKind === "message" ? expectedOf(field.message) : anything };
  }
  if (field.message) return expectedOf(field.message);
  return integers.has(field.scalar) ? { isExact: isExactInteger } : anything;
}

const integers: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.UINT32,
  ScalarType.UINT64,
  ScalarType.SINT32,
  ScalarType.SINT64,
  ScalarType.FIXED32,
  ScalarType.FIXED64,
  ScalarType.SFIXED32,
  ScalarType.SFIXED64,
]);

// Where protobuf-es 2.17 reads something else than it says: "0x10" and 9007199254740993 as integers,
// "1sx" as a duration, and "2026-02-30" and "24:00" as times, which it moves to the next day.
function isExactInteger(token: string): boolean {
  if (token.startsWith('"')) return /^-?\d+$/.test(textOf(token));
  return !/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token));
}

const exactFormats: ReadonlyMap<string, (token: string) => boolean> = new Map([
  ["google.protobuf.Duration", (token: string) => /^-?\d+(\.\d{1,9})?s$/.test(textOf(token))],
  ["google.protobuf.Timestamp", isCalendarTime],
]);

function isCalendarTime(token: string): boolean {
  const [, date = "", hour = ""] = /^(\d{4}-\d\d-\d\d)T(\d\d):/.exec(textOf(token)) ?? [];
  const day = new Date(date);
  return hour < "24" && !Number.isNaN(day.valueOf()) && day.toISOString().startsWith(date);
}
