import { hash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";

const checkLength = 8;
const defaultPageSize = 50;

/** Which page of a list is asked for. */
export type PageRequest = { readonly pageSize: number; readonly pageToken: string };

export type Page = {
  readonly limit: number;
  /** The position after which the page starts; undefined for the first page. */
  readonly after: string | undefined;
};

/**
 * Reads the paging fields of a request. `scope` identifies the list that a token belongs to: the
 * method and everything else that its pages depend on. `position` is the format of the position in
 * a token. Refuses a token of another scope with PAGE_TOKEN_INVALID. A token is not a secret: a
 * forged one reveals nothing that the list does not show.
 */
export function readPage(
  scope: string,
  position: RegExp,
  { pageSize, pageToken }: PageRequest,
): Page {
  const limit = pageSize || defaultPageSize;
  if (pageToken === "") return { limit, after: undefined };
  const after = Buffer.from(pageToken, "base64url").toString().slice(checkLength);
  if (pageToken !== pageTokenOf(scope, after) || !position.test(after)) {
    throw refuse(
      Code.InvalidArgument,
      ErrorReason.PAGE_TOKEN_INVALID,
      "pageToken does not belong to this list; request the first page without a token",
    );
  }
  return { limit, after };
}

/**
 * Returns the page from the `found` items, of which the caller must have requested `limit` + 1, and
 * the token of the next page, built from the position of the last item of this page.
 */
export function pageOf<Item>(
  scope: string,
  limit: number,
  found: readonly Item[],
  positionOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly nextPageToken: string } {
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextPageToken: pageTokenOf(scope, last && positionOf(last)) };
}

/**
 * Returns the token of the page after `position`, a short text such as the last id shown; empty if
 * there is no position.
 */
export function pageTokenOf(scope: string, position: string | undefined): string {
  if (position === undefined) return "";
  const check = hash("sha256", JSON.stringify([scope, position]), "base64url");
  return Buffer.from(check.slice(0, checkLength) + position).toString("base64url");
}
