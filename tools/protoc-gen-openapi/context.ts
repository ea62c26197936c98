import type { Base } from "./base.ts";
import type { Complaints } from "./complaints.ts";
import type { Extensions } from "./extensions.ts";
import type { Options } from "./options.ts";
import type { Source } from "./source.ts";

/** What one run of the plugin works with. */
export type Context = {
  readonly options: Options;
  readonly base: Base;
  readonly extensions: Extensions;
  readonly source: Source;
  readonly complaints: Complaints;
};
