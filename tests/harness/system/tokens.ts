import { systemClock } from "@settle/chassis/base/clock";
import { type Issuer, openIssuer } from "../../../tools/dev-issuer/issuer.ts";
import type { TokenIssuer } from "../../../tools/local/config.ts";

const audience = "settle";

let opened: Promise<Issuer> | undefined;
const tokens = new Map<string, Promise<string>>();

/** The issuer whose tokens the services and edges of tests accept: that of the test run. */
export function readTestAuth(): TokenIssuer {
  const issuer = fromRun("TEST_ISSUER_URL");
  return { issuer, audience, jwksUrl: `${issuer}/.well-known/jwks.json` };
}

/** The issuer of the test run, in this process. It also signs invalid tokens for tests. */
export function openTestIssuer(): Promise<Issuer> {
  opened ??= openIssuer({
    folder: fromRun("TEST_ISSUER_FOLDER"),
    issuer: fromRun("TEST_ISSUER_URL"),
    audience,
    clock: systemClock,
  });
  return opened;
}

/** Returns a token that is valid for twelve hours; always the same for the same user and scopes. */
export function tokenOf(userId: string, scopes: readonly string[] = []): Promise<string> {
  const key = JSON.stringify([userId, ...scopes]);
  const token = tokens.get(key) ?? openTestIssuer().then(({ sign }) => sign({ userId, scopes }));
  tokens.set(key, token);
  return token;
}

/** Returns the value of the `authorization` header with such a token. */
export async function authorizationOf(
  userId: string,
  scopes: readonly string[] = [],
): Promise<string> {
  return `Bearer ${await tokenOf(userId, scopes)}`;
}

/** Returns the `authorization` header of a call; undefined for an anonymous caller. */
export type Authorize = (request: { readonly userId?: string }) => Promise<string | undefined>;

/** The user in the request makes the call. */
export const asOwner: Authorize = ({ userId = "" }) => authorizationOf(userId || "nobody");

/** Returns the headers of a call by this caller, with `more` added. */
export async function headersOf(
  authorize: Authorize,
  request: object,
  more: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const authorization = await authorize(request);
  return { ...(authorization !== undefined && { authorization }), ...more };
}

function fromRun(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`${variable} is not set: run the tests with npm test`);
}
