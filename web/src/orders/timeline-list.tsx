import { useLanguage } from "../i18n/language.tsx";
import type { Step } from "./timeline.ts";

/** The timeline of an order, with the time of each step and the durations in between. */
export function TimelineList({ steps }: { readonly steps: readonly Step[] }) {
  const { m, format } = useLanguage();
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
                {/* Steps are mostly milliseconds apart: the day once is enough. */}
                {isSameDay(step.atMs, steps[place - 1])
                  ? format.preciseTime(step.atMs)
                  : format.dateTime(step.atMs)}
              </time>
              {step.sinceMs !== undefined && (
                <span className="step-since">{`+${format.duration(step.sinceMs)}`}</span>
              )}
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

function isSameDay(ms: number, before: Step | undefined): boolean {
  if (before?.state !== "happened") return false;
  return new Date(ms).toDateString() === new Date(before.atMs).toDateString();
}
