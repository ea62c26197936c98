import type { LedgerEntry } from "@settle/sdk";

/** How many entries a statement keeps that grows by itself. */
export const maxEntries = 1_000;

/** The part of a statement that has been read, newest first. */
export type EntryList = {
  readonly entries: readonly LedgerEntry[];
  /** Asks for what is older; empty at the end. */
  readonly nextPageToken: string;
};

/**
 * Puts a first page, read anew, before what was read earlier. The page alone remains if they do not
 * meet, because more has been booked meanwhile than a page holds, and if they are more than 1,000 entries
 * together: what is older can be asked for again.
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
