/**
 * Reads the claim `name` of a JWT without verifying it, which is the task of the services. Throws
 * if the token is not a JWT, or if the claim is missing or not a string.
 */
export function tokenClaim(token: string, name: string): string {
  const payload = token.split(".")[1];
  if (payload === undefined) throw new Error("the access token is not a JWT");
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const value = (claims as Record<string, unknown>)[name];
  if (typeof value !== "string") throw new Error(`the access token has no claim "${name}"`);
  return value;
}
