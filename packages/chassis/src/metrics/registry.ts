import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const registry = new Registry();
const readings = new Set<() => void>();
let hasProcessMetrics = false;

/** The buckets of durations, in seconds: from a fast statement to the longest call. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** What a metric is called and means. Each label has few values, none of which callers choose. */
type Description<Label extends string> = {
  /** Follows Prometheus: `settle_`, the thing, its base unit, `total` for a counter. */
  readonly name: `settle_${string}`;
  /** What it counts or measures, and the values of its labels. */
  readonly help: string;
  readonly labels?: readonly Label[];
};

/** Creates a number that only grows until the process ends. */
export function counter<Label extends string>(description: Description<Label>): Counter<Label> {
  return new Counter(optionsOf(description));
}

/** Creates a number that rises and falls. */
export function gauge<Label extends string>(description: Description<Label>): Gauge<Label> {
  return new Gauge(optionsOf(description));
}

/** Creates a distribution; by default of durations in seconds. */
export function histogram<Label extends string>(
  description: Description<Label> & { readonly buckets?: readonly number[] },
): Histogram<Label> {
  const { buckets = durationBuckets } = description;
  return new Histogram({ ...optionsOf(description), buckets: [...buckets] });
}

function optionsOf<Label extends string>({ name, help, labels = [] }: Description<Label>) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}

/** Calls `read` before each scrape, to set gauges; until it is disposed. */
export function readAtScrape(read: () => void): Disposable {
  readings.add(read);
  return { [Symbol.dispose]: () => readings.delete(read) };
}

/** Adds the metrics of Node: memory, garbage collection, delay of the event loop. */
export function measureProcess(): void {
  if (hasProcessMetrics) return;
  hasProcessMetrics = true;
  collectDefaultMetrics({ register: registry });
}

/** The media type of {@link scrape}. */
export const scrapeType = registry.contentType;

/** Returns the present values of all metrics in the text format of Prometheus. */
export function scrape(): Promise<string> {
  for (const read of readings) read();
  return registry.metrics();
}

/** A metric of {@link describeMetrics}. */
export type DescribedMetric = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
};

/** Describes the metrics that have been created so far in this process. */
export function describeMetrics(): readonly DescribedMetric[] {
  return registry.getMetricsAsArray().map((metric) => {
    const { name, help, type, labelNames } = metric as unknown as {
      name: string;
      help: string;
      type: string;
      labelNames: readonly string[];
    };
    return { name, help, type, labels: labelNames };
  });
}
