import { type DescMethod, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { access, ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";
import type { Principal } from "./principal.ts";

/**
 * Returns if the principal may make this call, otherwise throws PERMISSION_DENIED. The error does
 * not depend on whether the requested resource exists.
 */
export type AccessCheck = (method: DescMethod, principal: Principal, request: Message) => void;

/**
 * Creates the check from the `access` option of each method. Throws for a method without the
 * option: a method that permits nobody cannot be served. `noOwners` are the methods that users may
 * not call for themselves here, even if their option permits the owner.
 */
export function createAccessCheck(
  methods: readonly DescMethod[],
  noOwners: ReadonlySet<DescMethod> = new Set(),
): AccessCheck {
  const policies = new Map(methods.map((method) => [method, policyOf(method)]));
  return (method, principal, request) => {
    const policy = policies.get(method);
    if (policy?.scopes.some((scope) => principal.scopes.has(scope))) return;
    const mayOwn = policy?.userIdIn !== undefined && !noOwners.has(method);
    if (mayOwn && policy.userIdIn?.(request) === principal.userId) return;
    const needs = [
      ...(mayOwn ? ["userId must be the user of the token"] : []),
      ...(policy && policy.scopes.length > 0
        ? [`the token must have the scope ${policy.scopes.join(" or ")}`]
        : []),
    ];
    throw refuse(Code.PermissionDenied, ErrorReason.PERMISSION_DENIED, needs.join(", or "));
  };
}

type Policy = {
  /** The scopes of which each permits the call. */
  readonly scopes: readonly string[];
  /** Reads the owner's user id; undefined if the method does not permit the owner. */
  readonly userIdIn: ((request: Message) => unknown) | undefined;
};

function policyOf(method: DescMethod): Policy {
  const name = `${method.parent.typeName}/${method.name}`;
  const { owner, scope, otherScopes } = getOption(method, access);
  const scopes = [scope, ...otherScopes].filter((name) => name !== "");
  if (!hasOption(method, access) || (!owner && scopes.length === 0)) {
    throw new Error(`${name} has no option errors.v1.access: declare who may call it`);
  }
  if (!owner) return { scopes, userIdIn: undefined };
  const field = method.input.fields.find((candidate) => candidate.name === "user_id");
  if (!field) throw new Error(`${name} permits its owner, but its request has no user_id`);
  const { localName } = field;
  return {
    scopes,
    userIdIn: (request) => (request as unknown as Record<string, unknown>)[localName],
  };
}
