import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Direction } from "./direction.ts";
import type { JsonObject } from "./json-schema.ts";
import { wrappedScalar } from "./well-known.ts";

/** The type of a value: of a field, of each item of a list, or of each value of a map. */
export type Element =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "enum"; readonly enum: DescEnum }
  | { readonly kind: "message"; readonly message: DescMessage };

/** Returns the element type of `field`, whether or not it is a list or a map. */
export function elementOf(field: DescField): Element {
  if (field.message) return { kind: "message", message: field.message };
  if (field.enum) return { kind: "enum", enum: field.enum };
  return { kind: "scalar", scalar: field.scalar };
}

/** Returns the scalar that `element` is in JSON: its own, or that of a wrapper message. */
export function scalarOf(element: Element): ScalarType | undefined {
  if (element.kind === "scalar") return element.scalar;
  return element.kind === "message" ? wrappedScalar(element.message.typeName) : undefined;
}

/** Whether `scalar` has 64 bits and is thus a string in JSON. */
export function is64Bit(scalar: ScalarType | undefined): boolean {
  switch (scalar) {
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return true;
    default:
      return false;
  }
}

const signed64 = "^-?[0-9]{1,19}$";
const unsigned64 = "^[0-9]{1,20}$";

/**
 * How requests write 64-bit integers: as strings, as JSON prints them; or as JSON numbers as well,
 * which servers accept but most generators of clients cannot express.
 */
export type Int64Form = "string" | "string-or-number";

/** Whether a 64-bit integer of this direction may be a JSON number. */
export function allowsNumber(int64: Int64Form, direction: Direction): boolean {
  return int64 === "string-or-number" && direction === "request";
}

/** Returns the schema of a scalar. A 64-bit integer is a string, with a pattern. */
export function scalarSchema(
  scalar: ScalarType,
  direction: Direction,
  int64: Int64Form,
): JsonObject {
  const isNumber64 = allowsNumber(int64, direction);
  const type64 = isNumber64 ? ["string", "integer"] : "string";
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BYTES:
      return { type: "string", format: "byte", contentEncoding: "base64" };
    case ScalarType.FLOAT:
      return { type: "number", format: "float" };
    case ScalarType.DOUBLE:
      return { type: "number", format: "double" };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", format: "int32", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", format: "uint32", minimum: 0, maximum: 2 ** 32 - 1 };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: type64, format: "int64", pattern: signed64 };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return isNumber64
        ? { type: type64, format: "uint64", pattern: unsigned64, minimum: 0 }
        : { type: type64, format: "uint64", pattern: unsigned64 };
  }
}

/** Returns the schema of a map's keys, which are strings in JSON; undefined for any string. */
export function mapKeySchema(key: ScalarType): JsonObject | undefined {
  if (key === ScalarType.STRING) return undefined;
  if (key === ScalarType.BOOL) return { type: "string", enum: ["true", "false"] };
  const isUnsigned = [
    ScalarType.UINT32,
    ScalarType.FIXED32,
    ScalarType.UINT64,
    ScalarType.FIXED64,
  ].some((scalar) => scalar === key);
  return { type: "string", pattern: isUnsigned ? unsigned64 : signed64 };
}
