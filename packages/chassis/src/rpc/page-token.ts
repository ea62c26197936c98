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
 * Reads the paging fields of a request. `scope` names the list that the token belongs to: the
 * method and whatever else its pages depend on; `position` is the form of what stands in its
 * tokens. Refuses a token that was not made for this scope with PAGE_TOKEN_INVALID. A token is no
 * secret: whoever makes one by hand sees no more than the list shows.
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
 * Cuts the page out of what was `found`, of which the caller asked for one more than `limit`, and
 * makes the token of the next page from the position of the last item shown.
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
 * Makes the token that asks for the page after `position`, a short text such as the last id shown;
 * empty where there is none.
 */
export function pageTokenOf(scope: string, position: string | undefined): string {
  if (position === undefined) return "";
  const check = hash("sha256", JSON.stringify([scope, position]), "base64url");
  return Buffer.from(check.slice(0, checkLength) + position).toString("base64url");
}
