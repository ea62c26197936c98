/** Tells whoever listens. */
export type Signal<Args extends readonly unknown[]> = {
  emit(...args: Args): void;
  /** Listens until the returned function is called. */
  listen(listener: (...args: Args) => void): () => void;
};

/** A signal that nobody listens to yet. */
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
