import { existsSync, globSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import {
  createPage,
  type Page,
  type PageEncoding,
  pageEncodings,
  sendPage,
} from "@settle/chassis/docs/page";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** The file suffix of each encoding. */
const suffixes: Readonly<Record<PageEncoding, string>> = { br: ".br", gzip: ".gz" };

/**
 * Sends a file of the page in response to a GET or HEAD of `path`; returns false if there is none.
 */
export type SendPageFile = (
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => boolean;

/**
 * Reads all files in `folder` into memory, including their compressed variants (`.br`, `.gz`), so
 * that later changes of the folder have no effect on the responses. `index.html` is served as `/`.
 * Throws if there is no page, or if the media type of a file is unknown.
 */
export function readPageFiles(folder: string): SendPageFile {
  if (!existsSync(join(folder, "index.html"))) {
    throw new Error(`there is no built page in ${folder}: run npm run build -w web`);
  }
  const files = new Map<string, Page>();
  for (const entry of globSync("**/*", { cwd: folder, withFileTypes: true })) {
    if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(folder.length + 1).replaceAll("\\", "/");
    files.set(name === "index.html" ? "/" : `/${name}`, readPage(file, name));
  }

  return (path, request, response) => {
    const page = files.get(path);
    if (!page) return false;
    sendPage(request, response, page);
    return true;
  };
}

function readPage(file: string, name: string): Page {
  const type = types[extname(name)];
  if (type === undefined) throw new Error(`the media type of ${file} is unknown`);
  const compressed: Partial<Record<PageEncoding, Buffer>> = {};
  for (const encoding of pageEncodings) {
    const path = file + suffixes[encoding];
    if (existsSync(path)) compressed[encoding] = readFileSync(path);
  }
  // Vite puts a hash of the content in the names of files in assets/.
  const more = name.startsWith("assets/")
    ? { "cache-control": "public, max-age=31536000, immutable" }
    : undefined;
  return createPage(type, readFileSync(file), more, compressed);
}
