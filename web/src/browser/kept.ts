/** What a browser keeps for the page: values by key. */
export type Kept = {
  get(key: string): string | undefined;
  /** Keeps the value; returns whether it also survives a reload. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
};

/**
 * Keeps values in a storage of the browser. One that the browser denies, because cookies are blocked
 * for example, or that is full, loses nothing but the future: values are kept until the page is left.
 */
export function createKept(open: () => Storage): Kept {
  const values = new Map<string, string | undefined>();
  return {
    get(key) {
      if (values.has(key)) return values.get(key);
      try {
        return open().getItem(key) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set(key, value) {
      try {
        open().setItem(key, value);
        values.delete(key);
        return true;
      } catch {
        values.set(key, value);
        return false;
      }
    },
    remove(key) {
      try {
        open().removeItem(key);
        values.delete(key);
      } catch {
        values.set(key, undefined);
      }
    },
  };
}

/** What all tabs of this browser share, also between visits. */
export const keptByBrowser = createKept(() => localStorage);
/** What this tab keeps when it is reloaded. */
export const keptByTab = createKept(() => sessionStorage);
