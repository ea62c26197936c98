import type { Context as SchemaContext } from "../proto-schemas/context.ts";
import type { Base } from "./base.ts";
import type { Options } from "./options.ts";

/** What one run of the plugin works with. */
export type Context = SchemaContext & {
  readonly options: Options;
  readonly base: Base;
};
