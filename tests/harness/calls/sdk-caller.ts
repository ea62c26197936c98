import type { DescService, MessageShape } from "@bufbuild/protobuf";
import { createSettle, type Settle, SettleError, type SettleOptions } from "@settle/sdk/node";
import { tokenOf } from "../system/tokens.ts";
import type { Answer, Caller } from "./call.ts";
import { lost } from "./refusals.ts";

type Method = (request: unknown) => PromiseLike<unknown> | { first(): Promise<unknown> };

/**
 * Calls by the SDK, with a client for each user. The token is the user's own unless `tokenFor`
 * returns another one. Disposing closes all clients.
 */
export function createSdkCaller(
  options: Omit<SettleOptions, "token">,
  tokenFor: (userId: string) => Promise<string> = tokenOf,
): AsyncDisposable & { readonly call: Caller; clientOf(userId: string): Settle } {
  const clients = new Map<string, Settle>();
  const clientOf = (userId: string) => {
    const token = () => tokenFor(userId || "nobody");
    const client = clients.get(userId) ?? createSettle({ ...options, token });
    clients.set(userId, client);
    return client;
  };
  const call: Caller = async (method, request) => {
    const { userId = "" } = request as { userId?: string };
    const service = serviceOf(clientOf(userId), method.parent);
    const answering = (service[method.localName] as Method)(request);
    try {
      const message = await ("first" in answering ? answering.first() : answering);
      return { ok: true, message: message as MessageShape<typeof method.output> };
    } catch (error) {
      return refusalOf(error);
    }
  };
  return {
    call,
    clientOf,
    async [Symbol.asyncDispose]() {
      await Promise.all([...clients.values()].map((client) => client[Symbol.asyncDispose]()));
    },
  };
}

/** The SDK calls a service by its name without what all their names end with. */
function serviceOf(client: Settle, { name }: DescService): Readonly<Record<string, unknown>> {
  const key = name.charAt(0).toLowerCase() + name.slice(1).replace(/Service$/, "");
  return client[key as keyof typeof client & string] as Readonly<Record<string, unknown>>;
}

function refusalOf(error: unknown): Answer<never> {
  if (!(error instanceof SettleError)) return lost(error);
  const { code, reason, message, fieldViolations } = error;
  return { ok: false, code, reason, message, fields: fieldViolations.map(({ field }) => field) };
}
