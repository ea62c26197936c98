import { type DescMethod, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { access, ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";
import type { Principal } from "./principal.ts";

/**
 * Returns if the principal may make this call, else throws PERMISSION_DENIED, in words that do not
 * depend on whether what the request names exists.
 */
export type AccessCheck = (method: DescMethod, principal: Principal, request: Message) => void;

/**
 * Makes the check from the `access` option of each of the methods. Throws for a method without one:
 * what nobody is named for cannot be served. `noOwners` are the methods that users may not call for
 * themselves here, whatever their option says.
 */
export function createAccessCheck(
  methods: readonly DescMethod[],
  noOwners: ReadonlySet<DescMethod> = new Set(),
): AccessCheck {
  const policies = new Map(methods.map((method) => [method, policyOf(method)]));
  return (method, principal, request) => {
    const policy = policies.get(method);
    if (policy?.scope && principal.scopes.has(policy.scope)) return;
    const isOwner = policy?.userIdIn?.(request) === principal.userId;
    if (isOwner && !noOwners.has(method)) return;
    const needs = policy?.scope ? `the scope ${policy.scope}` : "a token of the user that it names";
    throw refuse(
      Code.PermissionDenied,
      ErrorReason.PERMISSION_DENIED,
      `the token does not permit this call, which requires ${needs}`,
    );
  };
}

type Policy = {
  readonly scope: string;
  /** Undefined where being the owner is no reason to let somebody in. */
  readonly userIdIn: ((request: Message) => unknown) | undefined;
};

function policyOf(method: DescMethod): Policy {
  const name = `${method.parent.typeName}/${method.name}`;
  const { owner, scope } = getOption(method, access);
  if (!hasOption(method, access) || (!owner && scope === "")) {
    throw new Error(`${name} has no option errors.v1.access: declare who may call it`);
  }
  if (!owner) return { scope, userIdIn: undefined };
  const field = method.input.fields.find((candidate) => candidate.name === "user_id");
  if (!field) throw new Error(`${name} permits its owner, but its request has no user_id`);
  const { localName } = field;
  return {
    scope,
    userIdIn: (request) => (request as unknown as Record<string, unknown>)[localName],
  };
}
