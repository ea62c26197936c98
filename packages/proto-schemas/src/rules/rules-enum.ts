import type { DescEnum } from "@bufbuild/protobuf";
import type { Ruled } from "./ruled.ts";
import { valueLists } from "./rules-string.ts";

type EnumRules = {
  readonly const?: number;
  readonly in?: readonly number[];
  readonly not_in?: readonly number[];
};

/**
 * Returns the allowed values of an enum, by name. `defined_only` adds nothing, because the schema
 * of an enum contains only defined values.
 */
export function enumRules(rules: EnumRules, desc: DescEnum): Ruled {
  const name = (number: number) => desc.value[number]?.name ?? String(number);
  const { const: only, in: allowed, not_in: denied } = rules;
  return {
    schema: valueLists({
      ...(only === undefined ? {} : { const: name(only) }),
      ...(allowed === undefined ? {} : { in: allowed.map(name) }),
      ...(denied === undefined ? {} : { not_in: denied.map(name) }),
    }),
    notes: [],
  };
}
