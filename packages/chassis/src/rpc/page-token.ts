import { hash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { refuse } from "../contract/errors.ts";

const checkLength = 8;
const defaultPageSize = 50;
/** The most items on a page. A request for more counts as one for this many (AIP-158). */
const maxPageSize = 1_000;
/**
 * The most bytes of the items on a page, as protobuf: gRPC clients by default refuse messages larger
 * than 4 MiB, and the rest is for the other fields.
 */
const maxPageBytes = 3.5 * 1024 * 1024;
/** How many items are turned into messages before others have their turn. */
const itemsPerTurn = 25;
/** A tag and a length precede each item. */
const itemHeaderBytes = 8;

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
 * Returns the page of the `found` items, of which the caller must have requested `limit` + 1, and
 * the token of the next page, built from the position of the last item of this page. A page also
 * ends before the item that would make it larger than {@link maxPageBytes}.
 *
 * A large page is made over several turns of the event loop. Otherwise pages, one after the other,
 * would leave it few: it takes only one new connection in each.
 */
export async function pageOf<Item, Schema extends DescMessage>(options: {
  readonly scope: string;
  readonly limit: number;
  readonly found: readonly Item[];
  readonly positionOf: (item: Item) => string;
  readonly schema: Schema;
  readonly messageOf: (item: Item) => MessageShape<Schema>;
  /** Returns how many bytes the message of an item has at most; cheaper than to encode it. */
  readonly maxBytesOf: (item: Item) => number;
}): Promise<{ readonly messages: MessageShape<Schema>[]; readonly nextPageToken: string }> {
  const { scope, limit, found, positionOf, schema, messageOf, maxBytesOf } = options;
  const items = found.slice(0, limit);
  const listed: MessageShape<Schema>[] = [];
  for (let start = 0; start < items.length; start += itemsPerTurn) {
    if (start > 0) await new Promise(setImmediate);
    listed.push(...items.slice(start, start + itemsPerTurn).map(messageOf));
  }
  // To measure is to encode, so it is skipped where all items fit even if they are that large.
  const bytes = items.reduce((sum, item) => sum + itemHeaderBytes + maxBytesOf(item), 0);
  const messages = bytes > maxPageBytes ? fitting(schema, listed) : listed;
  const last = messages.length < found.length ? found[messages.length - 1] : undefined;
  return { messages, nextPageToken: pageTokenOf(scope, last && positionOf(last)) };
}

/** Returns the first of the messages, as many as fit on a page, but at least one. */
function fitting<Schema extends DescMessage>(
  schema: Schema,
  messages: readonly MessageShape<Schema>[],
): MessageShape<Schema>[] {
  let bytes = 0;
  const end = messages.findIndex((message) => {
    bytes += itemHeaderBytes + toBinary(schema, message).length;
    return bytes > maxPageBytes;
  });
  return end < 0 ? [...messages] : messages.slice(0, Math.max(1, end));
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
