import { useLanguage } from "../i18n/language.tsx";
import { LatencyChart, ThroughputChart } from "./charts.tsx";
import { histogramOf, percentile, throughputOf } from "./load-stats.ts";
import type { LoadProgress } from "./tally.ts";

/** The progress or result of a run: figures, two charts, and the same data as tables. */
export function LoadResults({ progress }: { readonly progress: LoadProgress }) {
  const { m, format } = useLanguage();
  const { total, settledMs, latenciesMs, elapsedMs, end, declined, failed } = progress;
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const lastMs = end === undefined ? elapsedMs : (settledMs.at(-1) ?? elapsedMs);
  const perSecond = settledMs.length === 0 ? 0 : (settledMs.length * 1_000) / Math.max(1, lastMs);
  const count = settledMs.length;
  const endTexts = [
    ...(end === "stopped" || end === "stalled" ? [m.load[end]] : []),
    ...(end && count > 0
      ? [m.load.done(count, format.number(count), format.duration(lastMs))]
      : []),
  ];
  const figures = [
    { name: m.load.perSecond, text: format.number(Math.round(perSecond)) },
    { name: m.load.median, text: count ? format.duration(percentile(sorted, 0.5)) : "–" },
    { name: m.load.slowest, text: count ? format.duration(percentile(sorted, 0.99)) : "–" },
    ...(declined > 0 ? [{ name: m.load.declined, text: format.number(declined) }] : []),
    ...(failed > 0 ? [{ name: m.load.failed, text: format.number(failed) }] : []),
  ];
  return (
    <div className="load-results">
      <progress
        max={total}
        value={count}
        aria-label={m.load.progress(format.number(count), format.number(total))}
      />
      <p>{m.load.progress(format.number(count), format.number(total))}</p>
      {/* Told once, when it is over. */}
      <p role="status" className="load-end">
        {endTexts.join(" ")}
      </p>
      <dl className="figures">
        {figures.map(({ name, text }) => (
          <div key={name}>
            <dd>{text}</dd>
            <dt>{name}</dt>
          </div>
        ))}
      </dl>
      {count > 0 && (
        <div className="charts">
          <ThroughputChart throughput={throughputOf(settledMs, lastMs)} />
          <LatencyChart
            histogram={histogramOf(sorted)}
            p50={percentile(sorted, 0.5)}
            p99={percentile(sorted, 0.99)}
          />
        </div>
      )}
    </div>
  );
}
