import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { is64Bit } from "./elements.ts";
import { isObject, isSame, type Json, type JsonObject } from "./json-schema.ts";

/**
 * Whether a field that is not sent has the zero of its type as its value. Rules and responses treat
 * both the same.
 */
export function hasImplicitZero(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return true;
  return field.fieldKind !== "message" && field.presence === Presence.IMPLICIT;
}

/** Returns the JSON forms of the zero of a field; none for a message. */
export function zeroForms(field: DescField): readonly Json[] {
  if (field.fieldKind === "list") return [[]];
  if (field.fieldKind === "map") return [{}];
  if (field.fieldKind === "message") return [];
  if (field.fieldKind === "enum") return [field.enum.values[0]?.name ?? ""];
  if (is64Bit(field.scalar)) return ["0", 0];
  if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) return [""];
  return [field.scalar === ScalarType.BOOL ? false : 0];
}

/**
 * Returns a schema that accepts everything except the zero of `field`, the meaning of `required`.
 */
export function nonZeroSchema(field: DescField): JsonObject {
  if (field.fieldKind === "list") return { minItems: 1 };
  if (field.fieldKind === "map") return { minProperties: 1 };
  if (field.fieldKind === "enum") {
    return { enum: field.enum.values.slice(1).map(({ name }) => name) };
  }
  const [zero, ...others] = zeroForms(field);
  if (zero === undefined) return {};
  if (zero === "") return { minLength: 1 };
  return { not: others.length === 0 ? { const: zero } : { enum: [zero, ...others] } };
}

/**
 * Whether rules reject the zero of a field, so that a request without it is rejected. Checks the
 * translated keywords, but not formats.
 */
export function refusesZero(rules: JsonObject, field: DescField): boolean {
  return zeroForms(field).some((zero) => refuses(rules, zero));
}

/** Whether the translated keywords of `rules` reject `value`. */
export function refuses(rules: JsonObject, value: Json): boolean {
  const number = (keyword: string) => rules[keyword] as number | undefined;
  const list = (keyword: string) => rules[keyword] as readonly JsonObject[] | undefined;
  const { not } = rules;
  if (rules.const !== undefined && !isSame(rules.const, value)) return true;
  if (Array.isArray(rules.enum) && !rules.enum.some((item) => isSame(item, value))) return true;
  if (isObject(not) && Object.keys(not).length > 0 && !refuses(not, value)) return true;
  if (list("anyOf")?.every((part) => refuses(part, value))) return true;
  if (typeof value === "string") {
    const { pattern } = rules;
    if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value)) return true;
    return (number("minLength") ?? 0) > value.length;
  }
  if (typeof value === "number") {
    return (
      (number("minimum") ?? value) > value ||
      (number("maximum") ?? value) < value ||
      (number("exclusiveMinimum") ?? -1) >= value ||
      (number("exclusiveMaximum") ?? 1) <= value
    );
  }
  return (number("minItems") ?? 0) > 0 || (number("minProperties") ?? 0) > 0;
}
