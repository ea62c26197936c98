import { useLanguage } from "../i18n/language.tsx";
import type { Step } from "./timeline.ts";

/** The way of an order, step by step, with times and what lay between them. */
export function TimelineList(props: { readonly steps: readonly Step[]; readonly nowMs: number }) {
  const { m, format } = useLanguage();
  const { steps, nowMs } = props;
  const last = steps.findLastIndex(({ state }) => state !== "upcoming");
  return (
    <ol className="timeline">
      {steps.map((step, place) => (
        <li
          key={`${step.state} ${step.kind}`}
          className={`step step-${step.state} step-${step.kind}`}
          aria-current={place === last ? "step" : undefined}
        >
          {step.state === "happened" ? (
            <>
              <span className="step-name">{m.order.steps[step.kind]}</span>
              <time className="step-time" dateTime={new Date(step.atMs).toISOString()}>
                {format.dateTime(step.atMs)}
              </time>
              <span className="step-since">
                {step.sinceMs === undefined
                  ? format.relative(step.atMs, nowMs)
                  : `+${format.duration(step.sinceMs)}`}
              </span>
            </>
          ) : (
            <>
              <span className="step-name">{m.order.upcoming[step.kind]}</span>
              <span className="step-time">
                {step.state === "current" ? m.order.waiting : m.order.notYet}
              </span>
            </>
          )}
        </li>
      ))}
    </ol>
  );
}
