import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** The encodings in which a page can be kept ready, in the order of preference. */
export const pageEncodings = ["br", "gzip"] as const;
export type PageEncoding = (typeof pageEncodings)[number];

/** A file to serve over HTTP. */
export type Page = {
  readonly body: Buffer;
  /** The body in these encodings; compressing it for each request would cost the server more. */
  readonly compressed: Readonly<Partial<Record<PageEncoding, Buffer>>>;
  readonly headers: Readonly<Record<string, string>>;
};

/** Creates a page of this media type with an `etag` of its content and the headers in `more`. */
export function createPage(
  type: string,
  body: Buffer,
  more: Readonly<Record<string, string>> = {},
  compressed: Page["compressed"] = {},
): Page {
  const digest = createHash("sha256").update(body).digest("base64url");
  return {
    body,
    compressed,
    headers: {
      "content-type": type,
      "cache-control": "no-cache",
      // Weak, because it is the same for each encoding.
      etag: `W/"${digest}"`,
      vary: "accept-encoding",
      "x-content-type-options": "nosniff",
      ...more,
    },
  };
}

/**
 * Answers a GET or HEAD with the page, in the first encoding that the client accepts, or with 304 if
 * the client already has it.
 */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: Page): void {
  if (request.headers["if-none-match"] === page.headers.etag) {
    response.writeHead(304, page.headers).end();
    return;
  }
  const accepted = String(request.headers["accept-encoding"] ?? "");
  const encoding = pageEncodings.find((name) => page.compressed[name] && accepts(accepted, name));
  const body = (encoding && page.compressed[encoding]) ?? page.body;
  response.writeHead(200, {
    ...page.headers,
    ...(encoding && { "content-encoding": encoding }),
    "content-length": body.length,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** Whether a value of `accept-encoding` names this encoding, and not with a weight of 0. */
function accepts(value: string, encoding: PageEncoding): boolean {
  return new RegExp(`\\b${encoding}\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`).test(value);
}
