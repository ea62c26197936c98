import { type ReactNode, useId } from "react";
import { useLanguage } from "../i18n/language.tsx";
import { type Histogram, niceAbove, type Throughput } from "./load-stats.ts";

const width = 480;
const height = 180;
const left = 52;
const bottom = 24;
const top = 8;
/** The possible ends of an axis; half of each is a whole number too. */
const heights = [2, 4, 10];
const innerWidth = width - left - 4;
const innerHeight = height - top - bottom;

/** A chart of settled orders per second over a run. */
export function ThroughputChart({ throughput }: { readonly throughput: Throughput }) {
  const { m, format } = useLanguage();
  const { pieceMs, perSecond } = throughput;
  const max = niceAbove(Math.max(...perSecond), heights);
  const stepX = innerWidth / perSecond.length;
  const y = (value: number) => top + innerHeight * (1 - value / max);
  const points = perSecond.map((value, piece) => `${left + stepX * (piece + 0.5)} ${y(value)}`);
  const first = points[0]?.split(" ")[0] ?? left;
  const last = points.at(-1)?.split(" ")[0] ?? left;
  const peak = format.number(Math.round(Math.max(...perSecond)));
  return (
    <Chart
      title={m.load.throughput}
      text={m.load.throughputText(peak)}
      heads={[m.load.time, m.load.rate]}
      rows={perSecond.map((value, piece) => [
        format.duration((piece + 1) * pieceMs),
        format.number(Math.round(value)),
      ])}
    >
      <Axis
        max={max}
        y={y}
        end={format.duration(perSecond.length * pieceMs)}
        write={(value) => format.number(value)}
      />
      <path className="chart-area" d={`M${first} ${y(0)}L${points.join("L")}L${last} ${y(0)}Z`} />
      <path className="chart-line" d={`M${points.join("L")}`} />
    </Chart>
  );
}

/** A histogram of the time that orders took to settle. */
export function LatencyChart(props: {
  readonly histogram: Histogram;
  readonly p50: number;
  readonly p99: number;
}) {
  const { m, format } = useLanguage();
  const { counts, widthMs } = props.histogram;
  const max = niceAbove(Math.max(...counts), heights);
  const stepX = innerWidth / counts.length;
  const y = (value: number) => top + innerHeight * (1 - value / max);
  const x = (ms: number) => left + Math.min(innerWidth, (ms / widthMs) * stepX);
  const p50 = format.duration(props.p50);
  const p99 = format.duration(props.p99);
  return (
    <Chart
      title={m.load.latency}
      text={m.load.latencyText(p50, p99)}
      heads={[m.load.range, m.load.orders]}
      rows={counts.map((count, range) => [
        `${format.duration(range * widthMs)} – ${format.duration((range + 1) * widthMs)}`,
        format.number(count),
      ])}
    >
      <Axis
        max={max}
        y={y}
        end={format.duration(counts.length * widthMs)}
        write={(value) => format.number(value)}
      />
      {counts.map((count, range) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: ranges are known by their place
          key={range}
          className="chart-bar"
          x={left + stepX * range + 0.5}
          width={Math.max(1, stepX - 1)}
          y={y(count)}
          height={innerHeight + top - y(count)}
        />
      ))}
      {[
        { name: m.load.median, at: x(props.p50) },
        { name: m.load.slowest, at: x(props.p99) },
      ].map(({ name, at }) => (
        <g key={name} className="chart-mark">
          <path d={`M${at} ${top}V${top + innerHeight}`} />
          <text
            x={at + (at > width - 60 ? -4 : 4)}
            y={top + 10}
            textAnchor={at > width - 60 ? "end" : "start"}
          >
            {name}
          </text>
        </g>
      ))}
    </Chart>
  );
}

/** A chart with its name, a summary in a sentence, and its figures as a table. */
function Chart(props: {
  readonly title: string;
  readonly text: string;
  readonly heads: readonly [string, string];
  readonly rows: readonly (readonly string[])[];
  readonly children: ReactNode;
}) {
  const { m } = useLanguage();
  const id = useId();
  const { title, text, heads, rows, children } = props;
  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong> <span>{text}</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby={`${id}-title ${id}-text`}>
        <title id={`${id}-title`}>{title}</title>
        <desc id={`${id}-text`}>{text}</desc>
        {children}
      </svg>
      <details>
        <summary>{m.load.table}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{heads[0]}</th>
              <th scope="col">{heads[1]}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function Axis(props: {
  readonly max: number;
  readonly end: string;
  y(value: number): number;
  write(value: number): string;
}) {
  const { max, end, y, write } = props;
  return (
    <g className="chart-axis">
      {[0, max / 2, max].map((value) => (
        <g key={value}>
          <path d={`M${left} ${y(value)}H${width - 4}`} />
          <text x={left - 6} y={y(value) + 4} textAnchor="end">
            {write(value)}
          </text>
        </g>
      ))}
      <text x={left} y={height - 6}>
        0
      </text>
      <text x={width - 4} y={height - 6} textAnchor="end">
        {end}
      </text>
    </g>
  );
}
