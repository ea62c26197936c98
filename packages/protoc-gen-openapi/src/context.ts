import type { Context as SchemaContext } from "@settle/proto-schemas/protos/context";
import type { Base } from "./base.ts";
import type { Options } from "./options.ts";

/** The context of one run of the plugin. */
export type Context = SchemaContext & {
  readonly options: Options;
  readonly base: Base;
};
