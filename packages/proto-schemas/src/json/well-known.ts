import { ScalarType } from "@bufbuild/protobuf";
import { anyDuration } from "./decimal-pattern.ts";
import type { Direction } from "./direction.ts";
import type { JsonObject } from "./json-schema.ts";

const wrappers: Readonly<Record<string, ScalarType>> = {
  BoolValue: ScalarType.BOOL,
  BytesValue: ScalarType.BYTES,
  DoubleValue: ScalarType.DOUBLE,
  FloatValue: ScalarType.FLOAT,
  Int32Value: ScalarType.INT32,
  Int64Value: ScalarType.INT64,
  StringValue: ScalarType.STRING,
  UInt32Value: ScalarType.UINT32,
  UInt64Value: ScalarType.UINT64,
};

const withoutPackage = (typeName: string) =>
  typeName.startsWith("google.protobuf.") ? typeName.slice("google.protobuf.".length) : "";

/** Returns the scalar in a wrapper of google/protobuf/wrappers.proto. */
export function wrappedScalar(typeName: string): ScalarType | undefined {
  return wrappers[withoutPackage(typeName)];
}

/** Precedes the full name of a type in `@type`. */
export const typeUrlPrefix = "type.googleapis.com/";

/** Messages of google.protobuf with a special JSON form, except wrappers. */
const forms: Readonly<Record<string, JsonObject>> = {
  Any: {
    type: "object",
    description: "Any message: its fields, with the type of the message in `@type`.",
    properties: {
      "@type": {
        type: "string",
        description: `\`${typeUrlPrefix}\`, followed by the full name of the type.`,
      },
    },
    required: ["@type"],
    additionalProperties: true,
  },
  Duration: { type: "string", pattern: anyDuration },
  Empty: { type: "object" },
  // Paths in lowerCamelCase, separated by commas.
  FieldMask: { type: "string", format: "field-mask" },
  ListValue: { type: "array", items: {} },
  Struct: { type: "object", additionalProperties: true },
  Timestamp: { type: "string", format: "date-time" },
  Value: {},
};

/** Returns the special JSON form of a message of google.protobuf; undefined if it has none. */
export function wellKnownForm(typeName: string, direction?: Direction): JsonObject | undefined {
  const form = forms[withoutPackage(typeName)];
  const isClosed = direction === "request" && withoutPackage(typeName) === "Empty";
  return isClosed ? { ...form, additionalProperties: false } : form;
}

/** Whether the form is a string, a scalar or any value, which Envoy accepts in a query. */
export function isOneValue(typeName: string): boolean {
  return (
    wrappedScalar(typeName) !== undefined ||
    /^(Duration|FieldMask|Timestamp|Value)$/.test(withoutPackage(typeName))
  );
}

/** The message for a body of any content type. */
export const httpBody = "google.api.HttpBody";
