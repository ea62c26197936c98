import type { Complaints } from "./complaints.ts";
import type { Extensions } from "./extensions.ts";
import type { Source } from "./source.ts";

/** What schemas are made with. */
export type Context = {
  /** Whether what is received may leave out fields with default values, or always holds them. */
  readonly defaults: "omitted" | "printed";
  readonly extensions: Extensions;
  readonly source: Source;
  readonly complaints: Complaints;
};
