const maxWaiting = 5_000;

/**
 * Collects changes and delivers them once per animation frame, so that thousands per second cost no
 * more than the frames. They are delivered at once while nothing is drawn (a hidden tab), and when
 * 5,000 are waiting. The returned function collects; disposing it drops what is waiting.
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
