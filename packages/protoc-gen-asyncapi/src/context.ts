import type { Context as SchemaContext } from "@settle/proto-schemas/context";
import type { Base } from "./base.ts";

/** What one run of the plugin works with. */
export type Context = SchemaContext & { readonly base: Base; readonly baseFile: string };
