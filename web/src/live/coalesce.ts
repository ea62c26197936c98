/**
 * Wraps `run` so that any number of requests while it runs make it run once more, not more often:
 * the last request is always followed by a run that began after it. A run that fails is as good as one
 * that succeeds; the promise is of the run that answers the request and never rejects.
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
