import type { Ruled } from "./ruled.ts";
import { lengthKeywords, valueLists } from "./rules-string.ts";

type BytesRules = {
  readonly const?: Uint8Array;
  readonly len?: bigint;
  readonly min_len?: bigint;
  readonly max_len?: bigint;
  readonly pattern?: string;
  readonly prefix?: Uint8Array;
  readonly suffix?: Uint8Array;
  readonly contains?: Uint8Array;
  readonly in?: readonly Uint8Array[];
  readonly not_in?: readonly Uint8Array[];
  readonly ip?: boolean;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly uuid?: boolean;
};

/** The length of `bytes` in base64: the minimum without padding, the maximum with it. */
const fewest = (bytes: bigint) => (bytes * 4n + 2n) / 3n;
const most = (bytes: bigint) => ((bytes + 2n) / 3n) * 4n;
const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** Translates length rules to characters of base64; rules on the bytes themselves stay in words. */
export function bytesRules(rules: BytesRules): Ruled {
  const min = rules.len ?? rules.min_len;
  const max = rules.len ?? rules.max_len;
  const { const: only, in: allowed, not_in: denied } = rules;
  const parts = { prefix: "start with", suffix: "end with", contains: "contain" } as const;
  return {
    schema: {
      ...lengthKeywords(
        "Length",
        undefined,
        min === undefined ? undefined : fewest(min),
        max === undefined ? undefined : most(max),
      ),
      ...valueLists({
        ...(only === undefined ? {} : { const: toBase64(only) }),
        ...(allowed === undefined ? {} : { in: allowed.map(toBase64) }),
        ...(denied === undefined ? {} : { not_in: denied.map(toBase64) }),
      }),
    },
    notes: [
      ...(min === undefined ? [] : [`at least ${min} bytes`]),
      ...(max === undefined ? [] : [`at most ${max} bytes`]),
      ...(rules.pattern === undefined ? [] : [`the bytes match \`${rules.pattern}\``]),
      ...(["prefix", "suffix", "contains"] as const).flatMap((part) => {
        const bytes = rules[part];
        return bytes ? [`the bytes ${parts[part]} \`${toBase64(bytes)}\` (base64)`] : [];
      }),
      ...(rules.ip ? ["an IP address, in 4 or 16 bytes"] : []),
      ...(rules.ipv4 ? ["an IPv4 address, in 4 bytes"] : []),
      ...(rules.ipv6 ? ["an IPv6 address, in 16 bytes"] : []),
      ...(rules.uuid ? ["a UUID, in 16 bytes"] : []),
    ],
  };
}
