/**
 * Reads the claim `name` of a JWT, without verifying it: that is for the services to do. Throws if
 * the token is no JWT or has no such claim, or one that is no text.
 */
export function tokenClaim(token: string, name: string): string {
  const payload = token.split(".")[1];
  if (payload === undefined) throw new Error("the access token is no JWT");
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const value = (claims as Record<string, unknown>)[name];
  if (typeof value !== "string") throw new Error(`the access token has no claim "${name}"`);
  return value;
}
