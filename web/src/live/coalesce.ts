/**
 * Wraps `run` so that any number of calls while it runs cause exactly one further run: a run always
 * starts after the last call. A failed run counts like a successful one. The promise is that of the
 * run for the call, and never rejects.
 */
export function coalesce(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const current = run()
      .catch(() => {})
      .finally(() => {
        if (running === current) running = undefined;
      });
    running = current;
    return current;
  };
  return () => {
    if (!running) return start();
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}
