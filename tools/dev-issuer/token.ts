/** `npm run --silent token -- <name>`: prints a token of the running development issuer. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { localPorts } from "../local/local-ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const answerTimeoutMs = 5_000;
const { variable, fallback } = localPorts.auth;

const usage = `npm run --silent token -- <name> [--admin] [--scope "<scopes>"] [--help]

Prints a token for the user <name>, signed by the development issuer that \`npm start\` runs:

  curl -H "authorization: Bearer $(npm run --silent token -- alice)" ...

A name that begins with - needs another --: npm run --silent token -- -- -alice

  --admin   adds the scope admin, which may read and refund everything
  --scope   adds these scopes, separated by spaces; may be repeated
  --help    shows this help

Environment variables, also read from the file .env:
  ${variable.padEnd(12)}port of the development issuer (${fallback})`;

type Answer = { readonly access_token?: string; readonly error_description?: string };

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      admin: { type: "boolean" },
      scope: { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(usage);
  const [username, ...more] = positionals;
  if (username === undefined || more.length > 0) throw new Error(usage);

  const envFile = join(root, ".env");
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  const url = `http://localhost:${process.env[variable] || fallback}`;
  const scope = [...(values.admin ? ["admin"] : []), ...(values.scope ?? [])].join(" ");
  console.log(await fetchToken(url, { username, scope }));
}

async function fetchToken(
  url: string,
  request: { readonly username: string; readonly scope: string },
): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`${url}/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "password", ...request }),
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
  } catch {
    throw new Error(`The development issuer does not respond at ${url}: run \`npm start\` first.`);
  }
  const answer = (await response.json().catch(() => null)) as Answer | null;
  if (typeof answer?.access_token === "string") return answer.access_token;
  throw new Error(answer?.error_description ?? `The server at ${url} is not a development issuer.`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
