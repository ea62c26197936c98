/**
 * Reads the claim `name` of a JWT, text or a whole number, without verifying the token, which is the
 * task of the services. Throws if it is not a JWT or has no such claim.
 */
export function tokenClaim(token: string, name: string): string {
  const payload = token.split(".")[1];
  if (payload === undefined) throw new Error("the access token is not a JWT");
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  const value = (claims as Record<string, unknown>)[name];
  if (Number.isSafeInteger(value) && Number(value) >= 0) return String(value);
  if (typeof value !== "string") throw new Error(`the access token has no claim "${name}"`);
  return value;
}
