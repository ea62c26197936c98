import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { JsonObject } from "./json-schema.ts";
import { wrappedScalar } from "./well-known.ts";

/**
 * Where a message is used. A request must obey the rules, and its JSON may take more forms than
 * that of a response. A response is strict JSON and is not validated by the rules. An event is
 * strict JSON and obeys the rules, because its publisher does.
 */
export type Direction = "request" | "response" | "event";

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

/** Returns the schema of a scalar. 64-bit integers are strings; callers may send numbers as well. */
export function scalarSchema(scalar: ScalarType, direction: Direction): JsonObject {
  const type64 = direction === "request" ? ["string", "integer"] : "string";
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
      return direction === "request"
        ? { type: type64, format: "uint64", pattern: unsigned64, minimum: 0 }
        : { type: type64, format: "uint64", pattern: unsigned64 };
  }
}

/** Returns the schema of a map's keys, which are strings in JSON; undefined for any string. */
export function mapKeySchema(key: ScalarType): JsonObject | undefined {
  if (key === ScalarType.STRING) return undefined;
  if (key === ScalarType.BOOL) return { enum: ["true", "false"] };
  const isUnsigned = [
    ScalarType.UINT32,
    ScalarType.FIXED32,
    ScalarType.UINT64,
    ScalarType.FIXED64,
  ].some((scalar) => scalar === key);
  return { pattern: isUnsigned ? unsigned64 : signed64 };
}
