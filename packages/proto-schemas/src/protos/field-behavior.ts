import type { DescField } from "@bufbuild/protobuf";
import type { Context } from "./context.ts";

/** The google.api.field_behavior of a field. */
export type FieldBehavior = {
  readonly required: boolean;
  readonly outputOnly: boolean;
  readonly inputOnly: boolean;
  readonly immutable: boolean;
};

/** Values of google.api.FieldBehavior. */
const behaviors = { required: 2, outputOnly: 3, inputOnly: 4, immutable: 5 } as const;

/** Reads the option; all false without it. */
export function readFieldBehavior(context: Context, field: DescField): FieldBehavior {
  const set = context.extensions.read<readonly number[]>(field, "google.api.field_behavior") ?? [];
  return {
    required: set.includes(behaviors.required),
    outputOnly: set.includes(behaviors.outputOnly),
    inputOnly: set.includes(behaviors.inputOnly),
    immutable: set.includes(behaviors.immutable),
  };
}
