import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { type Element, elementOf, is64Bit, scalarOf } from "../json/elements.ts";
import type { Json } from "../json/json-schema.ts";

/** Parses the examples in a field's comment by its type; leaves out invalid ones. */
export function fieldExamples(field: DescField, texts: readonly string[]): readonly Json[] {
  const element = elementOf(field);
  return texts.flatMap((text): readonly Json[] => {
    if (field.fieldKind === "map") return jsonExamples([text]);
    if (field.fieldKind !== "list") return singleExample(element, text);
    const [whole] = jsonExamples([text]);
    return Array.isArray(whole) ? [whole] : singleExample(element, text).map((item) => [item]);
  });
}

/** Parses examples as JSON; leaves out invalid ones. */
export function jsonExamples(texts: readonly string[]): readonly Json[] {
  return texts.flatMap((text) => {
    try {
      return [JSON.parse(text) as Json];
    } catch {
      return [];
    }
  });
}

function singleExample(element: Element, text: string): readonly Json[] {
  return isText(element) ? [text] : jsonExamples([text]);
}

function isText(element: Element): boolean {
  if (element.kind === "enum") return true;
  const scalar = scalarOf(element);
  if (scalar !== undefined) {
    return scalar === ScalarType.STRING || scalar === ScalarType.BYTES || is64Bit(scalar);
  }
  return (
    element.kind === "message" &&
    /^google\.protobuf\.(Timestamp|Duration|FieldMask)$/.test(element.message.typeName)
  );
}
