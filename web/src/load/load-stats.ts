/** How long orders took, sorted into ranges of equal width. */
export type Histogram = {
  readonly widthMs: number;
  /** How many fell into each range; the last one also holds all that is longer. */
  readonly counts: readonly number[];
};

const maxRanges = 24;
/** Widths of ranges that people can read off an axis. */
const widths = [1, 2, 5];

/** The value that `share` (0 to 1) of the sorted values do not exceed; 0 if there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Sorts latencies into at most 24 ranges that reach to the 99th percentile and a little beyond. */
export function histogramOf(sorted: readonly number[]): Histogram {
  const span = percentile(sorted, 0.99) * 1.15;
  const widthMs = niceAbove(span / maxRanges, widths);
  const counts = Array.from({ length: Math.max(1, Math.ceil(span / widthMs)) }, () => 0);
  for (const latencyMs of sorted) {
    const range = Math.min(counts.length - 1, Math.floor(latencyMs / widthMs));
    counts[range] = (counts[range] ?? 0) + 1;
  }
  return { widthMs, counts };
}

/** The smallest of `steps`, or of ten, a hundred … times as much, that is not below `least`. */
export function niceAbove(least: number, steps: readonly number[]): number {
  for (let scale = 1; scale < 1e9; scale *= 10) {
    for (const step of steps) if (step * scale >= least) return step * scale;
  }
  return least;
}

/** How many settled per second, over time, in pieces of equal length. */
export type Throughput = { readonly pieceMs: number; readonly perSecond: readonly number[] };

const maxPieces = 60;
const pieceLengthsMs = [100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/**
 * Counts moments, in milliseconds since the beginning and rising, in at most 60 pieces until `endMs`.
 * The last piece counts only as far as it has gone, and not at all below half of its length.
 */
export function throughputOf(settledMs: readonly number[], endMs: number): Throughput {
  const pieceMs = pieceLengthsMs.find((length) => endMs / length <= maxPieces) ?? 60_000;
  const counts = Array.from({ length: Math.max(1, Math.ceil(endMs / pieceMs)) }, () => 0);
  for (const ms of settledMs) {
    const piece = Math.min(counts.length - 1, Math.floor(ms / pieceMs));
    counts[piece] = (counts[piece] ?? 0) + 1;
  }
  const perSecond = counts.map((count, piece) => {
    const lengthMs = Math.min(pieceMs, endMs - piece * pieceMs);
    return (count * 1_000) / Math.max(lengthMs, pieceMs / 2);
  });
  return { pieceMs, perSecond };
}
