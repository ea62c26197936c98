import { hash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";

const checkLength = 8;
const defaultPageSize = 50;
/** The most items on a page. A request for more counts as one for this many (AIP-158). */
const maxPageSize = 1_000;
/**
 * About how many bytes of items a page has at most, as protobuf. So no page keeps others waiting for
 * long, neither here nor where it becomes JSON: a thousand short items fit, or a few hundred long ones.
 */
const maxPageBytes = 256 * 1024;
const itemsPerRead = 250;
/** How many items are turned into messages before others have their turn. */
const itemsPerTurn = 25;

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
  const limit = Math.min(pageSize || defaultPageSize, maxPageSize);
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
 * Returns a page of a list, and the token of the next one, which is built from the position of the
 * last item. A page also ends before the item that would make it larger than {@link maxPageBytes}, but
 * has at least one.
 *
 * A large page is read in parts and made over several turns of the event loop. Otherwise pages, one
 * after the other, would leave it few: it takes only one new connection in each.
 */
export async function pageOf<Item, Message>(options: {
  readonly scope: string;
  readonly page: Page;
  /** Reads the first `limit` items after a position, and one more, if there are as many. */
  readonly read: (page: Page) => Promise<readonly Item[]>;
  readonly positionOf: (item: Item) => string;
  readonly messageOf: (item: Item) => Message;
  /** Returns about how many bytes the message of an item has. */
  readonly bytesOf: (item: Item) => number;
}): Promise<{ readonly messages: Message[]; readonly nextPageToken: string }> {
  const { scope, page, read, positionOf, messageOf, bytesOf } = options;
  const messages: Message[] = [];
  let bytes = 0;
  let { after } = page;
  for (;;) {
    const limit = Math.min(page.limit - messages.length, itemsPerRead);
    const found = await read({ limit, after });
    for (const item of found.slice(0, limit)) {
      bytes += bytesOf(item);
      if (bytes > maxPageBytes && messages.length > 0) {
        return { messages, nextPageToken: pageTokenOf(scope, after) };
      }
      messages.push(messageOf(item));
      after = positionOf(item);
      if (messages.length % itemsPerTurn === 0) await new Promise(setImmediate);
    }
    if (found.length <= limit) return { messages, nextPageToken: "" };
    if (messages.length === page.limit) {
      return { messages, nextPageToken: pageTokenOf(scope, after) };
    }
  }
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
