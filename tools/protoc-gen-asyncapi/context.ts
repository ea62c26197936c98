import type { Context as SchemaContext } from "../proto-schemas/context.ts";
import type { Base } from "./base.ts";

/** What one run of the plugin works with. */
export type Context = SchemaContext & { readonly base: Base };
