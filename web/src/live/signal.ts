/** Notifies its listeners. */
export type Signal<Args extends readonly unknown[]> = {
  emit(...args: Args): void;
  /** Adds a listener; the returned function removes it. */
  listen(listener: (...args: Args) => void): () => void;
};

/** Creates a signal without listeners. */
export function createSignal<Args extends readonly unknown[]>(): Signal<Args> {
  const listeners = new Set<(...args: Args) => void>();
  return {
    emit(...args) {
      for (const listener of listeners) listener(...args);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
