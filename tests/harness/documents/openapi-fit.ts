import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Node } from "./openapi-examples.ts";

/** The OpenAPI document of all services. */
export const openapi: Node = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../../gen/openapi/settle.json", import.meta.url)), "utf8"),
);

/** Formats are annotations; patterns and bounds are not. */
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(openapi, "document");

/** Throws if `value` does not fit the schema at `pointer` in {@link openapi}. */
export function assertFits(pointer: string, value: unknown): void {
  const check = ajv.compile({ $ref: `document${pointer}` });
  assert.ok(check(value), JSON.stringify([value, check.errors]));
}
