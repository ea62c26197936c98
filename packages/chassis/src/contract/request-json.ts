import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, malformed, refuseFields } from "./errors.ts";

/** How deeply objects and arrays may be nested: as in the edge and in protobuf's own parsers. */
const maxDepth = 100;

/**
 * Reads a message from the protobuf JSON mapping, as UTF-8. Everything that is sent counts or is
 * refused: refuses a field that the schema does not have, one that is set more than once
 * (`minorUnits` and `minor_units` are the same field), and a value that is not one of its type, with
 * VALIDATION_FAILED and the path of the field, and what is not UTF-8 or not JSON with
 * MALFORMED_REQUEST. Throws any other error for JSON that is nested too deeply or otherwise not a
 * message of this schema.
 */
export function readRequestJson(schema: DescMessage, bytes: Uint8Array): Message {
  const text = orMalformed("the request is not valid UTF-8", () => utf8.decode(bytes));
  const json = orMalformed("the request is not valid JSON", () => JSON.parse(text));
  const faults = faultsIn(schema, text);
  if (faults.length > 0) throw refuseFields(faults);
  return fromJson(schema, json);
}

function orMalformed<T>(message: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw malformed(message);
  }
}

// With the byte order mark kept, which JSON does not allow.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The JSON that may stand for a field or message. */
type Expected = {
  /** The fields of a message, by both of their names; `name` is the one in JSON. */
  readonly fields?: ReadonlyMap<string, { readonly name: string; readonly expected: Expected }>;
  /** The items of a list, or the values of a map. */
  readonly items?: Expected;
  /** What it must be; any JSON if there is no rule. */
  readonly rule?: Rule;
};

/** `accepts` gets the first token of the value. */
type Rule = { readonly text: string; readonly accepts: (token: string) => boolean };

/**
 * JSON.parse keeps the last of repeated names, and protobuf-es does not say where an unknown name
 * is. So this reads `text`, which must be valid JSON, once more, by tokens.
 */
function faultsIn(schema: DescMessage, text: string): readonly FieldViolation[] {
  const faults: FieldViolation[] = [];
  // Skips white space, because it searches.
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  const next = () => tokens.exec(text)?.[0] ?? "";

  const readObject = ({ fields, items = anything }: Expected, path: string, depth: number) => {
    const seen = new Set<string>();
    for (let token = next(); token !== "}"; token = next()) {
      if (token === ",") token = next();
      const name = textOf(token);
      const field = fields?.get(name);
      const own = field?.name ?? name;
      const place = fields ? `${path && `${path}.`}${own}` : `${path}[${JSON.stringify(name)}]`;
      if (fields && !field) faults.push({ field: place, description: "no such field" });
      else if (seen.has(own)) faults.push({ field: place, description: "set more than once" });
      seen.add(own);
      next(); // the colon
      // In a message, null stands for an absent field.
      const value = next();
      const isAbsent = fields !== undefined && value === "null";
      read(value, isAbsent ? anything : (field?.expected ?? items), place, depth);
    }
  };
  const read = (token: string, expected: Expected, path: string, depth: number) => {
    if (depth > maxDepth) throw new Error(`nested more than ${maxDepth} levels deep`);
    const { rule, items = anything } = expected;
    const isExpected = rule?.accepts(token) ?? true;
    if (!isExpected) faults.push({ field: path, description: `must be ${rule?.text}` });
    const inside = isExpected ? expected : anything;
    if (token === "{") {
      readObject(inside, path, depth + 1);
    } else if (token === "[") {
      let index = 0;
      for (let item = next(); item !== "]"; item = next()) {
        if (item === ",") item = next();
        read(item, isExpected ? items : anything, `${path}[${index}]`, depth + 1);
        index += 1;
      }
    }
  };
  const first = next();
  const whole = expectedOf(schema);
  if (whole.fields && first !== "{") throw new Error("not an object");
  read(first, whole, "", 0);
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
    const rule = formats.get(message.typeName);
    return rule ? { rule } : anything;
  }
  const fields = new Map<string, { name: string; expected: Expected }>();
  const expected = { fields, rule: anObject };
  // Before the fields are read, because a message may contain itself.
  expectations.set(message, expected);
  for (const field of message.fields) {
    const entry = { name: field.jsonName, expected: expectedOfField(field) };
    fields.set(field.name, entry).set(field.jsonName, entry);
  }
  return expected;
}

function expectedOfField(field: DescField): Expected {
  switch (field.fieldKind) {
    case "map":
      return { items: expectedOfValue(field), rule: anObject };
    case "list":
      return { items: expectedOfValue(field), rule: anArray };
    default:
      return expectedOfValue(field);
  }
}

function expectedOfValue({ message, enum: values, scalar }: DescField): Expected {
  if (message) return expectedOf(message);
  const rule = values ? ruleOfEnum(values) : scalars.get(scalar);
  return rule ? { rule } : anything;
}

const anObject: Rule = { text: "an object", accepts: (token) => token === "{" };
const anArray: Rule = { text: "an array", accepts: (token) => token === "[" };
const aString: Rule = { text: "a string", accepts: isString };
const aBoolean: Rule = { text: "true or false", accepts: (token) => /^(true|false)$/.test(token) };

/** protobuf-es 2.17 also reads "0x10", and rounds 9007199254740993. */
function anInteger(from: bigint, to: bigint): Rule {
  const isIn = (text: string) => BigInt(text) >= from && BigInt(text) <= to;
  const large = to > Number.MAX_SAFE_INTEGER ? ", above 9007199254740991 as a string" : "";
  return {
    text: `a whole number from ${from} to ${to}${large}`,
    accepts: (token) => {
      if (isString(token)) {
        const digits = textOf(token);
        return /^-?\d{1,20}$/.test(digits) && isIn(digits);
      }
      return Number.isSafeInteger(Number(token)) && isIn(String(Number(token)));
    },
  };
}
const int32 = anInteger(-(2n ** 31n), 2n ** 31n - 1n);
const uint32 = anInteger(0n, 2n ** 32n - 1n);
const int64 = anInteger(-(2n ** 63n), 2n ** 63n - 1n);
const uint64 = anInteger(0n, 2n ** 64n - 1n);

const scalars: ReadonlyMap<ScalarType | undefined, Rule> = new Map([
  [ScalarType.STRING, aString],
  [ScalarType.BYTES, aString],
  [ScalarType.BOOL, aBoolean],
  [ScalarType.INT32, int32],
  [ScalarType.SINT32, int32],
  [ScalarType.SFIXED32, int32],
  [ScalarType.UINT32, uint32],
  [ScalarType.FIXED32, uint32],
  [ScalarType.INT64, int64],
  [ScalarType.SINT64, int64],
  [ScalarType.SFIXED64, int64],
  [ScalarType.UINT64, uint64],
  [ScalarType.FIXED64, uint64],
]);

// protobuf-es 2.17 also reads "1sx" as a duration, and "2026-02-30" and "24:00" as times, which it
// moves to the next day.
const formats: ReadonlyMap<string, Rule> = new Map([
  [
    "google.protobuf.Duration",
    {
      text: 'seconds with at most nine decimals, such as "1.5s"',
      accepts: (token: string) => isString(token) && /^-?\d+(\.\d{1,9})?s$/.test(textOf(token)),
    },
  ],
  [
    "google.protobuf.Timestamp",
    {
      text: 'a time of RFC 3339, such as "2026-11-22T09:30:00Z"',
      accepts: (token: string) => isString(token) && isTime(textOf(token)),
    },
  ],
]);

function ruleOfEnum({ typeName, values }: DescEnum): Rule | undefined {
  if (typeName === "google.protobuf.NullValue") return undefined;
  const names = new Set(values.map(({ name }) => name));
  return {
    text: `a value of ${typeName}, such as "${values.at(-1)?.name}"`,
    accepts: (token) => (isString(token) ? names.has(textOf(token)) : /^-?\d/.test(token)),
  };
}

function isString(token: string): boolean {
  return token.startsWith('"');
}

function isTime(text: string): boolean {
  const [, date = "", hour = ""] =
    /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.exec(
      text,
    ) ?? [];
  const day = new Date(date);
  return hour !== "" && !Number.isNaN(day.valueOf()) && day.toISOString().startsWith(date);
}
