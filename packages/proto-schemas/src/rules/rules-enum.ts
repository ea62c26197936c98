import type { DescEnum } from "@bufbuild/protobuf";
import type { Ruled } from "./ruled.ts";

type EnumRules = {
  readonly const?: number;
  readonly in?: readonly number[];
  readonly not_in?: readonly number[];
};

/**
 * Returns the values of an enum that the rules leave, by name; an empty schema if they leave all of
 * them. `defined_only` adds nothing, because the schema of an enum contains only defined values.
 */
export function enumRules(rules: EnumRules, desc: DescEnum): Ruled {
  const { const: only, in: allowed, not_in: denied } = rules;
  const left = desc.values.filter(
    ({ number }) =>
      (only === undefined || number === only) &&
      (allowed?.includes(number) ?? true) &&
      !denied?.includes(number),
  );
  const isNarrowed = left.length < desc.values.length;
  return { schema: isNarrowed ? { enum: left.map(({ name }) => name) } : {}, notes: [] };
}
