import type { DescField } from "@bufbuild/protobuf";
import type { Direction } from "../json/direction.ts";
import { type Element, elementOf } from "../json/elements.ts";
import { mergeSchemas, withoutEmpty } from "../json/json-schema.ts";
import { hasImplicitZero, nonZeroSchema } from "../json/zero-values.ts";
import type { Context } from "../protos/context.ts";
import { join, type Ruled } from "./ruled.ts";
import { elementRules, ignore, noRules, readFieldRules } from "./rules.ts";
import { celNotes } from "./rules-cel.ts";
import { lengthKeywords } from "./rules-string.ts";
import { withZero } from "./rules-zero.ts";

/**
 * Translates the rules of a field: on its values, and, in requests and events, that it must be set.
 * Those on the fields of its message are in narrowing.ts.
 */
export function fieldRules(context: Context, field: DescField, direction: Direction): Ruled {
  const rules = readFieldRules(context, field);
  if (rules === noRules) return { schema: {}, notes: [] };
  const values = valueRules(context, field, direction);
  const isZeroFree = rules.ignore === ignore.ifZeroValue && hasImplicitZero(field);
  const { schema, notes } = isZeroFree ? withZero(values, field) : values;
  const mustBeSet = rules.required && direction !== "response" && hasImplicitZero(field);
  return { schema: mustBeSet ? mergeSchemas(schema, nonZeroSchema(field)) : schema, notes };
}

function valueRules(context: Context, field: DescField, direction: Direction): Ruled {
  const rules = readFieldRules(context, field);
  const element = elementOf(field);
  const inside = (what: string, ruled: Ruled, keyword: string): Ruled => ({
    schema: withoutEmpty({ [keyword]: ruled.schema }),
    notes: ruled.notes.map((note) => `${what}: ${note}`),
  });
  if (field.fieldKind === "list") {
    const { items = {}, min_items, max_items, unique } = rules.repeated ?? {};
    return join([
      celNotes(rules),
      {
        schema: {
          ...lengthKeywords("Items", undefined, min_items, max_items),
          ...(unique ? { uniqueItems: true } : {}),
        },
        notes: [],
      },
      inside("each item", elementRules(context, element, items, direction), "items"),
    ]);
  }
  if (field.fieldKind === "map") {
    const { keys = {}, values = {}, min_pairs, max_pairs } = rules.map ?? {};
    const key: Element = { kind: "scalar", scalar: field.mapKey };
    return join([
      celNotes(rules),
      { schema: lengthKeywords("Properties", undefined, min_pairs, max_pairs), notes: [] },
      inside("each key", elementRules(context, key, keys, direction), "propertyNames"),
      inside(
        "each value",
        elementRules(context, element, values, direction),
        "additionalProperties",
      ),
    ]);
  }
  return elementRules(context, element, rules, direction);
}
