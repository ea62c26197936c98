import type { LedgerEntry } from "@settle/sdk";

/** How many entries a statement keeps while it grows by itself. */
export const maxEntries = 1_000;

/** The loaded part of a statement, newest first. */
export type EntryList = {
  readonly entries: readonly LedgerEntry[];
  /** The token of the next, older page; empty at the end. */
  readonly nextPageToken: string;
};

/**
 * Merges a reloaded first page with the entries loaded earlier. Only the page remains if the two do
 * not overlap, because more was booked meanwhile than fits on a page, or if they have more than
 * 1,000 entries together. Older entries can be loaded again.
 */
export function mergeFirstPage(old: EntryList | undefined, page: EntryList): EntryList {
  const newest = old?.entries[0];
  if (!old || !newest) return page;
  const meet = page.entries.findIndex(({ id }) => id === newest.id);
  if (meet === -1) return page;
  if (meet === 0) return old;
  const entries = [...page.entries.slice(0, meet), ...old.entries];
  return entries.length > maxEntries ? page : { entries, nextPageToken: old.nextPageToken };
}
