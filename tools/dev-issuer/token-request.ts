/** User ids as in the contract (proto/orders/v1); UUIDs and subjects such as `auth0|...` match. */
const userNamePattern = /^[A-Za-z0-9_|@+'-][A-Za-z0-9_.|@+'-]{0,127}$/;
/** Scopes by RFC 6749 section 3.3: visible ASCII except `"` and `\`, separated by one space. */
const scopePattern = /^[!#-[\]-~]+( [!#-[\]-~]+)*$/;
const scopeMaxCharacters = 512;

/** The user and scopes of a requested token. */
export type TokenRequest = {
  readonly userId: string;
  readonly scopes: readonly string[];
};

/** Why a request is invalid, for its sender. */
export type TokenRequestFault = { readonly fault: string };

/**
 * Reads the body of a token request by RFC 6749 section 4.3, as a form or as a JSON object with the
 * same names: `username` and optionally `scope`. Other fields are ignored, including `grant_type`
 * and `password`: any caller can be any user here.
 */
export function readTokenRequest(
  contentType: string | undefined,
  body: string,
): TokenRequest | TokenRequestFault {
  const fields = readFields(contentType?.split(";", 1)[0]?.trim().toLowerCase(), body);
  if ("fault" in fields) return fields;
  const { username, scope = "" } = fields;
  if (typeof username !== "string" || !userNamePattern.test(username)) {
    return {
      fault: "username must be 1 to 128 ASCII letters, digits or -_.|@+', not starting with a dot",
    };
  }
  if (scope === "") return { userId: username, scopes: [] };
  if (typeof scope !== "string" || scope.length > scopeMaxCharacters || !scopePattern.test(scope)) {
    return {
      fault: `scope must be words of visible ASCII characters except " and \\, each separated by one space, at most ${scopeMaxCharacters} characters in all`,
    };
  }
  return { userId: username, scopes: [...new Set(scope.split(" "))] };
}

type Fields = { readonly username?: unknown; readonly scope?: unknown };

function readFields(contentType: string | undefined, body: string): Fields | TokenRequestFault {
  switch (contentType) {
    case "application/x-www-form-urlencoded":
      return readForm(new URLSearchParams(body));
    case "application/json":
      return readJson(body);
    default:
      return { fault: "send application/x-www-form-urlencoded or application/json" };
  }
}

function readForm(form: URLSearchParams): Fields | TokenRequestFault {
  for (const name of ["username", "scope"]) {
    if (form.getAll(name).length > 1) return { fault: `${name} appears more than once` };
  }
  return { username: form.get("username"), scope: form.get("scope") ?? "" };
}

function readJson(body: string): Fields | TokenRequestFault {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { fault: "the body is not valid JSON" };
  }
  if (typeof value !== "object" || value === null)
    return { fault: "the body is not a JSON object" };
  const { username, scope }: Fields = value;
  return { username, scope };
}
