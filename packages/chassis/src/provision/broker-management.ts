import { setTimeout as pause } from "node:timers/promises";

const requestTimeoutMs = 10_000;
const maxRequestAttempts = 5;

/** How to reach the management API of RabbitMQ as its administrator `user`. */
export type BrokerAdministration = {
  readonly managementUrl: string;
  readonly user: string;
  readonly password: string;
  /** The virtual host that is administered. */
  readonly vhost: string;
};

/**
 * Calls the management API. Resolves with the response, or with undefined if the object of a GET or
 * DELETE does not exist. Throws for any other response that is not a success.
 */
export type ManagementCall = (
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  body?: unknown,
) => Promise<Response | undefined>;

/** Creates a function that calls the management API; `path` is relative to its origin. */
export function createManagementCall(administration: BrokerAdministration): ManagementCall {
  const { managementUrl, user, password } = administration;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return async (method, path, body) => {
    for (let tried = 1; ; tried += 1) {
      const response = await fetch(new URL(path, managementUrl), {
        method,
        headers: { authorization, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      if (response.ok) return response;
      const text = await response.text();
      if (response.status === 404 && (method === "GET" || method === "DELETE")) return undefined;
      // A broker that has just started accepts some calls before it can serve them.
      if (response.status < 500 || tried === maxRequestAttempts) {
        throw new Error(`the broker answered ${method} ${path} with ${response.status}: ${text}`);
      }
      await pause(500 * tried);
    }
  };
}
