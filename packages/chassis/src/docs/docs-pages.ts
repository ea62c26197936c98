import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { renderEvents } from "./events-page.ts";
import { createPage, type Page } from "./page.ts";

const compress = promisify(gzip);
/** How long a browser may use a page without asking again; a newer version may show until then. */
const cacheControl = "public, max-age=300";
/** The document of all packages. Each package also has a document of its own. */
const merged = "settle";
const assets: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui-standalone-preset.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

const scripts = ["docs.js", "docs-example.js", "docs-requests.js", "docs-samples.js"];

/**
 * Reads the pages that document the API, by path: the OpenAPI documents below `/swagger/v1/`, and
 * Swagger UI for all of them at `/swagger/docs`; the document of all packages leaves out what is for
 * operators; the AsyncAPI document as `events.json`, and a page
 * for it at `/swagger/events`. The edge serves these pages, and their server is where they are read.
 * The service's own document is `swagger.json` as well. It is for readers at the port of the service,
 * so its server is `edgeUrl`. The pages send requests only to their own origin and to `tokenUrl`, a
 * token endpoint at which a reader signs in by name. Without `tokenUrl`, readers have to supply a
 * token. Pages need no token themselves, so serving one costs little: they are compressed here, and
 * browsers and proxies may keep them for five minutes.
 */
export async function readDocsPages(options: {
  /** The service's package in the contract, such as `orders.v1`. */
  readonly ownPackage: string;
  readonly tokenUrl: string | undefined;
  /** The origin of the edge, as clients reach it. */
  readonly edgeUrl: string;
}): Promise<ReadonlyMap<string, Page>> {
  const { ownPackage, tokenUrl, edgeUrl } = options;
  const pages = new Map<string, Page>();
  const add = async (path: string, type: string, body: Buffer, more: Record<string, string> = {}) =>
    pages.set(
      path,
      createPage(
        type,
        body,
        { "cache-control": cacheControl, ...more },
        { gzip: await compress(body) },
      ),
    );

  const documents = await listDocuments();
  for (const { name, file } of documents) {
    const whole = await read(`@settle/gen/openapi/${file}`);
    const document = name === merged ? withoutOperators(whole) : whole;
    await add(`/swagger/v1/${name}.json`, "application/json", document);
    if (file !== `${ownPackage}.json`) continue;
    await add("/swagger/v1/swagger.json", "application/json", withServer(document, edgeUrl));
  }
  for (const [file, type] of Object.entries(assets)) {
    await add(`/swagger/docs/${file}`, type, await read(`swagger-ui-dist/${file}`));
  }
  const own = async (file: string) => readFile(new URL(`./${file}`, import.meta.url));
  for (const file of scripts) {
    await add(`/swagger/docs/${file}`, "text/javascript; charset=utf-8", await own(file));
  }
  await add("/swagger/docs/docs.css", "text/css; charset=utf-8", await own("docs.css"));
  const html = (await own("docs.html"))
    .toString()
    .replace("{{tokenUrl}}", tokenUrl ?? "")
    .replace("{{documents}}", documents.map(({ name }) => name).join(" "));
  await add("/swagger/docs", "text/html; charset=utf-8", Buffer.from(html), {
    "content-security-policy": policyFor(tokenUrl),
  });
  const events = await read("@settle/gen/asyncapi/settle.json");
  await add("/swagger/v1/events.json", "application/json", events);
  await add("/swagger/events/events.css", "text/css; charset=utf-8", await own("events.css"));
  const shown = renderEvents(JSON.parse(events.toString()));
  await add("/swagger/events", "text/html; charset=utf-8", Buffer.from(shown), {
    "content-security-policy": eventsPolicy,
  });
  return pages;
}

/** Leaves out what is for operators only, which has documents of its own. */
function withoutOperators(document: Buffer): Buffer {
  const { paths, tags = [], ...rest } = JSON.parse(document.toString());
  const kept = Object.entries(paths).filter(([path]) => !path.startsWith("/gateway/ops/"));
  const named = tags.filter(({ name }: { readonly name: string }) => !name.endsWith("OpsService"));
  const changed = { ...rest, tags: named, paths: Object.fromEntries(kept) };
  return Buffer.from(`${JSON.stringify(changed, undefined, 2)}\n`);
}

/** Replaces the servers of an OpenAPI document. */
function withServer(document: Buffer, url: string): Buffer {
  const servers = [{ url, description: "The edge" }];
  const changed = { ...JSON.parse(document.toString()), servers };
  return Buffer.from(`${JSON.stringify(changed, undefined, 2)}\n`);
}

/** The events page has no script; its style is in a file. */
const eventsPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What Swagger UI may load: nothing from other origins. It uses inline styles. */
function policyFor(tokenUrl: string | undefined): string {
  const issuer = tokenUrl === undefined ? "" : ` ${new URL(tokenUrl).origin}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    `connect-src 'self'${issuer}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * The OpenAPI documents that were generated, the merged one first, and the names under which they are
 * served: `orders.v1.json` as `orders`.
 */
async function listDocuments(): Promise<readonly { name: string; file: string }[]> {
  const folder = fileURLToPath(
    new URL(".", import.meta.resolve(`@settle/gen/openapi/${merged}.json`)),
  );
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json"));
  const others = files.filter((file) => file !== `${merged}.json`).sort();
  return [`${merged}.json`, ...others].map((file) => ({
    name: file.replace(/(\.v1)?\.json$/, ""),
    file,
  }));
}

function read(specifier: string): Promise<Buffer> {
  return readFile(fileURLToPath(import.meta.resolve(specifier)));
}
