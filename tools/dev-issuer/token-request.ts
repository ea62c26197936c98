/** The contract's user ids (proto/orders/v1): a UUID and an `auth0|...` subject fit. */
const userNamePattern = /^[A-Za-z0-9][A-Za-z0-9\-_.|@]{0,127}$/;
/** Scopes as RFC 6749 section 3.3 writes them: visible ASCII but `"` and `\`, one space between. */
const scopePattern = /^[!#-[\]-~]+( [!#-[\]-~]+)*$/;
const scopeMaxCharacters = 512;

/** Whom a token is asked for. */
export type TokenRequest = {
  readonly userId: string;
  readonly scopes: readonly string[];
};

/** Why a body asks for nothing that can be had, for its sender. */
export type TokenRequestFault = { readonly fault: string };

/**
 * Reads the body of a token request as RFC 6749 section 4.3 has it, a form or a JSON object with
 * the same names: `username` and, if wanted, `scope`. Any other field is ignored, `grant_type` and
 * `password` too: everybody may be anybody here.
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
      fault:
        "username must be 1 to 128 letters, digits or -_.|@, starting with a letter or a digit",
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
