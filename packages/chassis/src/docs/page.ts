import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** A file to serve over HTTP. */
export type Page = {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

/** Creates a page of this media type with an `etag` of its content and the headers in `more`. */
export function createPage(
  type: string,
  body: Buffer,
  more: Readonly<Record<string, string>> = {},
): Page {
  const digest = createHash("sha256").update(body).digest("base64url");
  return {
    body,
    headers: {
      "content-type": type,
      "cache-control": "no-cache",
      // Weak, because the edge may compress the page.
      etag: `W/"${digest}"`,
      "x-content-type-options": "nosniff",
      ...more,
    },
  };
}

/** Answers a GET or HEAD with the page, or with 304 if the client already has it. */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: Page): void {
  const isKnown = request.headers["if-none-match"] === page.headers.etag;
  const length = isKnown ? {} : { "content-length": page.body.length };
  response.writeHead(isKnown ? 304 : 200, { ...page.headers, ...length });
  response.end(isKnown || request.method === "HEAD" ? undefined : page.body);
}
