import { type Json, type JsonObject, mergeSchemas } from "../json/json-schema.ts";
import type { Ruled } from "./ruled.ts";

/** The set fields of buf.validate.StringRules. */
export type StringRules = {
  readonly const?: string;
  readonly len?: bigint;
  readonly min_len?: bigint;
  readonly max_len?: bigint;
  readonly len_bytes?: bigint;
  readonly min_bytes?: bigint;
  readonly max_bytes?: bigint;
  readonly pattern?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly not_contains?: string;
  readonly in?: readonly string[];
  readonly not_in?: readonly string[];
  readonly well_known_regex?: number;
  readonly strict?: boolean;
} & { readonly [format: string]: unknown };

/** The maximum number of bytes of a character in UTF-8. */
const bytesPerCharacter = 4n;
const uuid = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/**
 * Rules that name a format: a format of JSON Schema if there is one, or else the closest keywords.
 * `minLength` excludes the empty string for validators that do not check formats.
 */
const formats: Readonly<Record<string, JsonObject>> = {
  email: { format: "email", minLength: 1 },
  hostname: { format: "hostname", minLength: 1 },
  ipv4: { format: "ipv4", minLength: 1 },
  ipv6: { format: "ipv6", minLength: 1 },
  uri: { format: "uri", minLength: 1 },
  uri_ref: { format: "uri-reference" },
  uuid: { format: "uuid", pattern: `^${uuid}$` },
  tuuid: { pattern: "^[0-9a-fA-F]{32}$" },
  ulid: { pattern: "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$" },
  protobuf_fqn: { pattern: "^[A-Za-z_][A-Za-z_0-9]*(\\.[A-Za-z_][A-Za-z_0-9]*)*$" },
  protobuf_dot_fqn: { pattern: "^\\.[A-Za-z_][A-Za-z_0-9]*(\\.[A-Za-z_][A-Za-z_0-9]*)*$" },
};

/** Formats that JSON Schema does not have, or has under several names only. */
const formatsInWords: Readonly<Record<string, string>> = {
  ip: "an IPv4 or IPv6 address",
  address: "a host name, or an IPv4 or IPv6 address",
  ip_with_prefixlen: "an IP address with a prefix length, such as `192.168.0.1/24`",
  ipv4_with_prefixlen: "an IPv4 address with a prefix length, such as `192.168.0.1/24`",
  ipv6_with_prefixlen: "an IPv6 address with a prefix length, such as `2001:db8::1/64`",
  ip_prefix: "an IP prefix, such as `192.168.0.0/16`",
  ipv4_prefix: "an IPv4 prefix, such as `192.168.0.0/16`",
  ipv6_prefix: "an IPv6 prefix, such as `2001:db8::/48`",
  host_and_port: "a host and a port, such as `example.com:8080`",
};

/** The patterns of buf.validate.KnownRegex, strict and loose. */
const knownPatterns: readonly (readonly [strict: string, loose: string])[] = [
  ["", ""],
  ["^:?[0-9a-zA-Z!#$%&'*+\\-.^_|~`]+$", "^[^\\x00\\n\\r]+$"],
  ["^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$", "^[^\\x00\\n\\r]*$"],
];

/**
 * Translates the rules of a string. Lengths in bytes become bounds of the length and words. A schema
 * has one pattern: of several, the others become words.
 */
export function stringRules(rules: StringRules): Ruled {
  const inBytes = byteLength(rules);
  const set = Object.keys(rules).filter((rule) => rules[rule] === true);
  const isReadable = rules.pattern === undefined || isPortablePattern(rules.pattern);
  const [pattern, ...others] = [
    isReadable ? rules.pattern : undefined,
    ...set.map((rule) => formats[rule]?.pattern as string | undefined),
    rules.prefix === undefined ? undefined : `^${escapeText(rules.prefix)}`,
    rules.suffix === undefined ? undefined : `${escapeText(rules.suffix)}$`,
    rules.contains === undefined ? undefined : escapeText(rules.contains),
    knownPatterns[rules.well_known_regex ?? 0]?.[rules.strict === false ? 1 : 0] || undefined,
  ].filter((candidate) => candidate !== undefined);
  return {
    schema: mergeSchemas(
      lengthKeywords("Length", rules.len, rules.min_len, rules.max_len),
      inBytes.schema,
      ...set.map((rule) => formats[rule] ?? (formatsInWords[rule] ? { minLength: 1 } : {})),
      pattern === undefined ? {} : { pattern },
      valueLists(rules),
      rules.not_contains === undefined ? {} : { not: { pattern: escapeText(rules.not_contains) } },
    ),
    notes: [
      ...inBytes.notes,
      ...(isReadable ? [] : [`matches the RE2 pattern \`${rules.pattern}\``]),
      ...others.map((other) => `matches \`${other}\``),
      ...set.flatMap((rule) => formatsInWords[rule] ?? []),
    ],
  };
}

/** Returns `minLength` and `maxLength`, or the same keywords for `what` else is counted. */
export function lengthKeywords(
  what: "Length" | "Items" | "Properties",
  exactly: bigint | undefined,
  min: bigint | undefined,
  max: bigint | undefined,
): JsonObject {
  const lower = exactly ?? min;
  const upper = exactly ?? max;
  return {
    ...(lower === undefined ? {} : { [`min${what}`]: Number(lower) }),
    ...(upper === undefined ? {} : { [`max${what}`]: Number(upper) }),
  };
}

/** Translates `const`, `in` and `not_in` for values with the same form in JSON. */
export function valueLists(rules: {
  readonly const?: Json;
  readonly in?: readonly Json[];
  readonly not_in?: readonly Json[];
}): JsonObject {
  return {
    ...(rules.const === undefined ? {} : { const: rules.const }),
    ...(rules.in ? { enum: rules.in } : {}),
    ...(rules.not_in ? { not: { enum: rules.not_in } } : {}),
  };
}

function byteLength(rules: StringRules): Ruled {
  const min = rules.len_bytes ?? rules.min_bytes;
  const max = rules.len_bytes ?? rules.max_bytes;
  const fewest = min === undefined ? undefined : (min + bytesPerCharacter - 1n) / bytesPerCharacter;
  return {
    schema: lengthKeywords("Length", undefined, fewest, max),
    notes: [
      ...(min === undefined ? [] : [`at least ${min} bytes in UTF-8`]),
      ...(max === undefined ? [] : [`at most ${max} bytes in UTF-8`]),
    ],
  };
}

function escapeText(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/**
 * Whether an RE2 expression has the same meaning in JSON Schema, whose patterns are ECMAScript, and
 * in Python, judging by its syntax.
 */
function isPortablePattern(pattern: string): boolean {
  if (/\(\?(?!:)|\\[AzQEC]|\\x\{|\\[pP][A-Z{]|\[\[:/.test(pattern)) return false;
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}
