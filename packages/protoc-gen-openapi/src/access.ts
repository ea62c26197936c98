import type { DescMethod } from "@bufbuild/protobuf";
import type { JsonObject } from "@settle/proto-schemas/json/json-schema";
import type { Context } from "./context.ts";

/** Who may call a method, as `security` and in words. */
export type Access = {
  readonly security: readonly JsonObject[] | undefined;
  readonly words: string;
};

/**
 * Returns who may call `method`, from the access option that the base file names. Methods without
 * it have the `security` of the base file.
 */
export function readAccess(context: Context, method: DescMethod): Access {
  const { access, security } = context.base;
  const set =
    access &&
    context.extensions.read<{ owner?: boolean; scope?: string; other_scopes?: string[] }>(
      method,
      access.extension,
    );
  if (!access || !set) return { security, words: "" };
  const scopes = [...(set.scope ? [set.scope] : []), ...(set.other_scopes ?? [])];
  const who = [
    ...(set.owner ? ["the owner"] : []),
    ...scopes.map((scope) => `a caller with the scope \`${scope}\``),
  ];
  return {
    security: [
      ...(set.owner ? [{ [access.scheme]: [] }] : []),
      ...scopes.map((scope) => ({ [access.scheme]: [scope] })),
    ],
    words: who.length === 0 ? "" : `Access: ${who.join(", or ")}.`,
  };
}
