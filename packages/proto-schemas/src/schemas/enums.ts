import type { DescEnum } from "@bufbuild/protobuf";
import { type JsonObject, withoutEmpty } from "../json/json-schema.ts";
import { paragraphs } from "../protos/comments.ts";
import type { Context } from "../protos/context.ts";

/** Returns the schema of an enum: the names of its values, with their comments. */
export function enumSchema(context: Context, desc: DescEnum): JsonObject {
  return withoutEmpty({
    type: "string",
    description: paragraphs(context.source.comment(desc).text, enumValues(context, desc)),
    enum: desc.values.map(({ name }) => name),
    deprecated: desc.deprecated || undefined,
  });
}

/** Returns a list of the values of an enum with their comments; only of those in `names` if given. */
export function enumValues(context: Context, desc: DescEnum, names?: readonly unknown[]): string {
  const values = desc.values.filter(({ name }) => names?.includes(name) ?? true);
  const lines = values.map((value) => {
    const text = context.source.comment(value).text.replaceAll(/\s*\n\s*/g, " ");
    const about = [value.deprecated ? "Deprecated." : "", text].filter(Boolean).join(" ");
    return about === "" ? `- \`${value.name}\`` : `- \`${value.name}\`: ${about}`;
  });
  return lines.join("\n");
}
