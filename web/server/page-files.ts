import { existsSync, globSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { createPage, type Page, sendPage } from "@settle/chassis/docs/page";

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

/** The encodings, with their header pattern and file suffix; the first requested one is sent. */
const encodings = [
  { encoding: "br", ending: ".br", asked: /\bbr\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/ },
  { encoding: "gzip", ending: ".gz", asked: /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/ },
] as const;

/** A file of the page in one encoding, with its header pattern; undefined for the plain file. */
type Variant = Page & { readonly asked: RegExp | undefined };

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
  const files = new Map<string, readonly Variant[]>();
  for (const entry of globSync("**/*", { cwd: folder, withFileTypes: true })) {
    if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(folder.length + 1).replaceAll("\\", "/");
    files.set(name === "index.html" ? "/" : `/${name}`, readVariants(file, name));
  }

  return (path, request, response) => {
    const variants = files.get(path);
    if (!variants) return false;
    const accepted = String(request.headers["accept-encoding"] ?? "");
    const found = variants.find(({ asked }) => asked === undefined || asked.test(accepted));
    if (!found) throw new Error(`${path} has no uncompressed variant`);
    sendPage(request, response, found);
    return true;
  };
}

function readVariants(file: string, name: string): readonly Variant[] {
  const type = types[extname(name)];
  if (type === undefined) throw new Error(`the media type of ${file} is unknown`);
  const variant = (path: string, encoding?: (typeof encodings)[number]): Variant => ({
    asked: encoding?.asked,
    ...createPage(type, readFileSync(path), {
      ...(encoding && { "content-encoding": encoding.encoding }),
      // Vite puts a hash of the content in the names of files in assets/.
      ...(name.startsWith("assets/") && { "cache-control": "public, max-age=31536000, immutable" }),
      vary: "accept-encoding",
    }),
  });
  const compressed = encodings.flatMap((encoding) =>
    existsSync(file + encoding.ending) ? [variant(file + encoding.ending, encoding)] : [],
  );
  return [...compressed, variant(file)];
}
