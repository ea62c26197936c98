/** Latencies, counted in ranges of equal width. */
export type Histogram = {
  readonly widthMs: number;
  /** The count of each range; the last one includes all longer latencies. */
  readonly counts: readonly number[];
};

const maxRanges = 24;
/** Widths of ranges that are easy to read on an axis. */
const widths = [1, 2, 5];

/** Returns the value that `share` (0 to 1) of the sorted values do not exceed; 0 without values. */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Counts latencies in at most 24 ranges, up to slightly above the 99th percentile. */
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

/** Returns the smallest of `steps`, multiplied by any power of ten, that is not below `least`. */
export function niceAbove(least: number, steps: readonly number[]): number {
  for (let scale = 1; scale < 1e9; scale *= 10) {
    for (const step of steps) if (step * scale >= least) return step * scale;
  }
  return least;
}

/** The number of settled orders per second, in intervals of equal length. */
export type Throughput = { readonly pieceMs: number; readonly perSecond: readonly number[] };

const maxPieces = 60;
const pieceLengthsMs = [100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/**
 * Counts ascending times, in milliseconds since the start, in at most 60 intervals until `endMs`.
 * For the last interval only the elapsed part counts; it is left out below half of its length.
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
