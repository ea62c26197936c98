import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { Refusal } from "./complaints.ts";
import type { Json } from "./json-schema.ts";

/** Any JSON value. */
export const json = z.custom<Json>(() => true);

/** Any JSON object. */
export const jsonObject = z.record(z.string(), json);

/** What `info` of a document holds. */
export const info = z
  .object({ title: z.string(), version: z.string() })
  .catchall(json)
  .default({ title: "API", version: "unversioned" });

/**
 * Reads a file of what no proto says, in YAML or JSON, or gives the empty one; refuses it by its name
 * and each fault.
 */
export function readBaseFile<Schema extends z.ZodType>(
  schema: Schema,
  file: string | undefined,
): z.infer<Schema> {
  const given = file === undefined ? {} : parse(readFileSync(file, "utf8"));
  const { success, data, error } = schema.safeParse(given);
  if (!success) throw new Refusal(`${file}: ${z.prettifyError(error)}`);
  return data;
}
