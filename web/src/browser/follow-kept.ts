/**
 * Calls the listener when another tab has changed what the browser keeps for `key`; `undefined` if it
 * was removed. Returns how to stop.
 */
export function followKept(key: string, listener: (value: string | undefined) => void): () => void {
  const hear = (event: StorageEvent) => {
    // Without a key, all of the storage was cleared.
    if (event.key === key || event.key === null) listener(event.newValue ?? undefined);
  };
  addEventListener("storage", hear);
  return () => removeEventListener("storage", hear);
}
