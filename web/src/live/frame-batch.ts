const maxWaiting = 5_000;

/**
 * Collects changes and hands them on once per drawn frame, so that thousands a second cost no more
 * than the frames do. While nothing is drawn (a hidden tab) they are handed on at once; so they are when
 * 5,000 wait. The returned function collects; disposing it lets go of what waits.
 */
export function batchByFrame<T>(hand: (items: readonly T[]) => void) {
  let waiting: T[] = [];
  let frame = 0;
  const flush = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    hand(items);
  };
  document.addEventListener("visibilitychange", flush);
  return Object.assign(
    (items: readonly T[]) => {
      for (const item of items) waiting.push(item);
      if (document.hidden || waiting.length >= maxWaiting) flush();
      else if (frame === 0) frame = requestAnimationFrame(flush);
    },
    {
      [Symbol.dispose]() {
        document.removeEventListener("visibilitychange", flush);
        cancelAnimationFrame(frame);
      },
    },
  );
}
