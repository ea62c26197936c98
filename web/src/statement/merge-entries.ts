import type { LedgerEntry } from "@settle/sdk";

/** The part of a statement that has been read, newest first. */
export type EntryList = {
  readonly entries: readonly LedgerEntry[];
  /** Asks for what is older; empty at the end. */
  readonly nextPageToken: string;
};

/**
 * Puts a first page, read anew, before what was read earlier. If they do not meet, because more has
 * been booked meanwhile than a page holds, the page alone remains.
 */
export function mergeFirstPage(old: EntryList | undefined, page: EntryList): EntryList {
  const newest = old?.entries[0];
  if (!old || !newest) return page;
  const meet = page.entries.findIndex(({ id }) => id === newest.id);
  if (meet === -1) return page;
  return {
    entries: [...page.entries.slice(0, meet), ...old.entries],
    nextPageToken: old.nextPageToken,
  };
}
