import type { DescField } from "@bufbuild/protobuf";
import type { Json } from "../json/json-schema.ts";
import { refuses, zeroForms } from "../json/zero-values.ts";
import type { Ruled } from "./ruled.ts";

/**
 * Widens rules that apply only to a field that is not zero. Alternatives would be parts without a
 * type, so each keyword that rejects the zero is widened by itself; what is lost by that becomes
 * words.
 */
export function withZero({ schema, notes }: Ruled, field: DescField): Ruled {
  const [zero] = zeroForms(field);
  if (zero === undefined) return { schema, notes };
  const widened: Record<string, Json> = {};
  const lost: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    if (keyword === "format") lost.push(`of the format \`${value}\``);
    else if (!refuses({ [keyword]: value }, zero)) widened[keyword] = value;
    else if (keyword === "const") widened.enum = [zero, value];
    else if (keyword === "enum") widened.enum = [zero, ...(value as readonly Json[])];
    else if (keyword === "pattern") widened.pattern = `^${zero}$|${value}`;
    else {
      if (/m(in|ax)imum$/i.test(keyword)) widened[keyword.replace(/^exclusiveM/, "m")] = 0;
      lost.push(`\`${keyword}\` ${JSON.stringify(value)}`);
    }
  }
  const what = zero === "" || typeof zero === "object" ? "empty" : `\`${zero}\``;
  const note = lost.length === 0 ? [] : [`${what}, or ${lost.join(" and ")}`];
  return { schema: widened, notes: [...notes, ...note] };
}
