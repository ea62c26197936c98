import { readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";
import type { Json } from "../json/json-schema.ts";
import { Refusal } from "../protos/complaints.ts";

/** Any JSON value. */
export const json = z.custom<Json>(() => true);

/** Any JSON object. */
export const jsonObject = z.record(z.string(), json);

/** The contents of `info` in a document. */
export const info = z
  .object({ title: z.string(), version: z.string() })
  .catchall(json)
  .default({ title: "API", version: "unversioned" });

/**
 * Reads a YAML or JSON file. Throws a {@link Refusal} with the file, and the line if it is invalid.
 */
function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = `no such file in ${process.cwd()}, where the compiler runs`;
    throw new Refusal(`${file}: ${code === "ENOENT" ? missing : message}`);
  }
}

/**
 * Reads the YAML or JSON file with what the protos do not contain; without a file, returns an empty
 * one. Throws a {@link Refusal} with the name of the file and each fault.
 */
export function readBaseFile<Schema extends z.ZodType>(
  schema: Schema,
  file: string | undefined,
): z.infer<Schema> {
  // The value of an empty file is null.
  const given = (file === undefined ? undefined : readYaml(file)) ?? {};
  const { success, data, error } = schema.safeParse(given);
  if (!success) throw new Refusal(`${file}: ${z.prettifyError(error)}`);
  return data;
}
