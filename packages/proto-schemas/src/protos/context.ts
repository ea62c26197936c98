import type { Int64Form } from "../json/elements.ts";
import type { Complaints } from "./complaints.ts";
import type { Extensions } from "./extensions.ts";
import type { Source } from "./source.ts";

/** The context for generating schemas. */
export type Context = {
  /** Whether responses may omit fields with default values, or always contain them. */
  readonly defaults: "omitted" | "printed";
  readonly int64: Int64Form;
  readonly extensions: Extensions;
  readonly source: Source;
  readonly complaints: Complaints;
};
