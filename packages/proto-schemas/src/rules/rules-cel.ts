import type { Ruled } from "./ruled.ts";

/** A rule in CEL. */
export type CelRule = {
  readonly id?: string;
  readonly message?: string;
  readonly expression?: string;
};

/** The CEL rules of a field or of a message. */
export type CelRules = {
  readonly cel?: readonly CelRule[] | undefined;
  readonly cel_expression?: readonly string[] | undefined;
};

/** Translates CEL rules to their message with the expression, and to `x-cel` for programs. */
export function celNotes(rules: CelRules): Ruled {
  const all = listRules(rules);
  if (all.length === 0) return { schema: {}, notes: [] };
  return {
    schema: { "x-cel": all.map((rule) => ({ ...rule })) },
    notes: all.map(({ message = "", expression = "" }) =>
      message === "" ? `CEL: \`${expression}\`` : `${message} (CEL: \`${expression}\`)`,
    ),
  };
}

/** Returns the rules of both forms in one list. */
export function listRules(rules: CelRules): readonly CelRule[] {
  return [
    ...(rules.cel ?? []),
    ...(rules.cel_expression ?? []).map((expression) => ({ expression })),
  ];
}
