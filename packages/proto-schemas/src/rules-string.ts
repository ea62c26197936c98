import { allOf, type Json, type JsonObject } from "./json-schema.ts";
import type { Ruled } from "./ruled.ts";

/** buf.validate.StringRules, as far as it is set. */
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

/** The most bytes that UTF-8 takes for one character. */
const bytesPerCharacter = 4n;
const uuid = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/**
 * Rules that name a format: by a format of JSON Schema where there is one, else by what can be said.
 * `minLength` says to readers that check no formats that nothing is not enough.
 */
const formats: Readonly<Record<string, JsonObject>> = {
  email: { format: "email", minLength: 1 },
  hostname: { format: "hostname", minLength: 1 },
  ip: { anyOf: [{ format: "ipv4" }, { format: "ipv6" }], minLength: 1 },
  ipv4: { format: "ipv4", minLength: 1 },
  ipv6: { format: "ipv6", minLength: 1 },
  uri: { format: "uri", minLength: 1 },
  uri_ref: { format: "uri-reference" },
  address: {
    anyOf: [{ format: "hostname" }, { format: "ipv4" }, { format: "ipv6" }],
    minLength: 1,
  },
  uuid: { format: "uuid", pattern: `^${uuid}$` },
  tuuid: { pattern: "^[0-9a-fA-F]{32}$" },
  ulid: { pattern: "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$" },
  protobuf_fqn: { pattern: "^[A-Za-z_][A-Za-z_0-9]*(\\.[A-Za-z_][A-Za-z_0-9]*)*$" },
  protobuf_dot_fqn: { pattern: "^\\.[A-Za-z_][A-Za-z_0-9]*(\\.[A-Za-z_][A-Za-z_0-9]*)*$" },
};

/** Formats that JSON Schema has no word for. */
const formatsInWords: Readonly<Record<string, string>> = {
  ip_with_prefixlen: "an IP address with a prefix length, such as `192.168.0.1/24`",
  ipv4_with_prefixlen: "an IPv4 address with a prefix length, such as `192.168.0.1/24`",
  ipv6_with_prefixlen: "an IPv6 address with a prefix length, such as `2001:db8::1/64`",
  ip_prefix: "an IP prefix, such as `192.168.0.0/16`",
  ipv4_prefix: "an IPv4 prefix, such as `192.168.0.0/16`",
  ipv6_prefix: "an IPv6 prefix, such as `2001:db8::/48`",
  host_and_port: "a host and a port, such as `example.com:8080`",
};

/** What buf.validate.KnownRegex stands for, strict and not. */
const knownPatterns: readonly (readonly [strict: string, loose: string])[] = [
  ["", ""],
  ["^:?[0-9a-zA-Z!#$%&'*+\\-.^_|~`]+$", "^[^\\u0000\\n\\r]+$"],
  ["^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$", "^[^\\u0000\\n\\r]*$"],
];

/** Returns length, pattern, lists and format of a string. Lengths in bytes are bounds and in words. */
export function stringRules(rules: StringRules): Ruled {
  const inBytes = byteLength(rules);
  const patterns = [
    rules.prefix === undefined ? undefined : `^${escapeText(rules.prefix)}`,
    rules.suffix === undefined ? undefined : `${escapeText(rules.suffix)}$`,
    rules.contains === undefined ? undefined : escapeText(rules.contains),
    knownPatterns[rules.well_known_regex ?? 0]?.[rules.strict === false ? 1 : 0] || undefined,
  ].filter((pattern) => pattern !== undefined);
  const set = Object.keys(rules).filter((rule) => rules[rule] === true);
  const isReadable = rules.pattern === undefined || isEcmaPattern(rules.pattern);
  return {
    schema: allOf(
      lengthKeywords("Length", rules.len, rules.min_len, rules.max_len),
      inBytes.schema,
      rules.pattern !== undefined && isReadable ? { pattern: rules.pattern } : {},
      ...patterns.map((pattern) => ({ pattern })),
      ...set.map((rule) => formats[rule] ?? (formatsInWords[rule] ? { minLength: 1 } : {})),
      valueLists(rules),
      rules.not_contains === undefined ? {} : { not: { pattern: escapeText(rules.not_contains) } },
    ),
    notes: [
      ...inBytes.notes,
      ...(isReadable ? [] : [`matches the RE2 expression \`${rules.pattern}\``]),
      ...set.flatMap((rule) => formatsInWords[rule] ?? []),
    ],
  };
}

/** `minLength` and `maxLength`, or the same of `what` else has a number of parts. */
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

/** `const`, `in` and `not_in` of values that are the same in JSON. */
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

/** Whether an expression of RE2 means the same to JSON Schema, as far as its syntax tells. */
function isEcmaPattern(pattern: string): boolean {
  if (/\(\?(?!:)|\\[AzQEC]|\\x\{|\\[pP][A-Z{]|\[\[:/.test(pattern)) return false;
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}
