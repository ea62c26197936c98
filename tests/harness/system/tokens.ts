import { systemClock } from "@settle/chassis/base/clock";
import { type Issuer, openIssuer } from "../../../tools/dev-issuer/issuer.ts";
import type { TokenIssuer } from "../../../tools/local/config.ts";

const audience = "settle";

let opened: Promise<Issuer> | undefined;
const tokens = new Map<string, Promise<string>>();

/** Whose tokens the services and edges of a test accept: those of the test run's issuer. */
export function readTestAuth(): TokenIssuer {
  const issuer = fromRun("TEST_ISSUER_URL");
  return { issuer, audience, jwksUrl: `${issuer}/.well-known/jwks.json` };
}

/** The test run's issuer in this process, to sign whatever a test needs, also what is not valid. */
export function openTestIssuer(): Promise<Issuer> {
  opened ??= openIssuer({
    folder: fromRun("TEST_ISSUER_FOLDER"),
    issuer: fromRun("TEST_ISSUER_URL"),
    audience,
    clock: systemClock,
  });
  return opened;
}

/** A token that is valid for twelve hours; always the same one for the same user and scopes. */
export function tokenOf(userId: string, scopes: readonly string[] = []): Promise<string> {
  const key = JSON.stringify([userId, ...scopes]);
  const token = tokens.get(key) ?? openTestIssuer().then(({ sign }) => sign({ userId, scopes }));
  tokens.set(key, token);
  return token;
}

/** The value of an `authorization` header with such a token. */
export async function authorizationOf(
  userId: string,
  scopes: readonly string[] = [],
): Promise<string> {
  return `Bearer ${await tokenOf(userId, scopes)}`;
}

/** Who makes a call: makes the value of its `authorization` header; undefined for nobody. */
export type Authorize = (request: { readonly userId?: string }) => Promise<string | undefined>;

/** Each call is made by the user whom its request names. */
export const asOwner: Authorize = ({ userId = "" }) => authorizationOf(userId || "nobody");

/** The headers of a call that is made so; `more` are added. */
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
