import { durationPattern } from "../json/decimal-pattern.ts";
import type { JsonObject } from "../json/json-schema.ts";
import type { Ruled } from "./ruled.ts";

type Time = { readonly seconds?: bigint; readonly nanos?: number };

/** buf.validate's rules for timestamps and durations. */
export type TimeRules = {
  readonly const?: Time;
  readonly lt?: Time;
  readonly lte?: Time;
  readonly gt?: Time;
  readonly gte?: Time;
  readonly lt_now?: boolean;
  readonly gt_now?: boolean;
  readonly within?: Time;
  readonly in?: readonly Time[];
  readonly not_in?: readonly Time[];
};

/** Returns the bounds of a timestamp in words, because JSON Schema cannot compare strings. */
export function timestampRules(rules: TimeRules): Ruled {
  return inWords(rules, timestampText, {
    below: "before",
    above: "after",
    until: "not after",
    from: "not before",
  });
}

/** Returns the bounds of a duration in words, and as a pattern if they are whole seconds. */
export function durationRules(rules: TimeRules): Ruled {
  const { notes } = inWords(rules, durationText, {
    below: "less than",
    above: "more than",
    until: "at most",
    from: "at least",
  });
  return { schema: durationBounds(rules), notes };
}

/** Returns a pattern for a range from a non-negative number of whole seconds to a whole end. */
function durationBounds({ gte, lte, lt }: TimeRules): JsonObject {
  const isWhole = (time: Time | undefined) => (time?.nanos ?? 0) === 0;
  const from = gte?.seconds ?? 0n;
  const to = lte?.seconds ?? lt?.seconds;
  if (!gte || from < 0n || to === undefined || ![gte, lte, lt].every(isWhole)) return {};
  if (to < from || (!lte && to === from)) return {};
  return { pattern: `^${durationPattern(from, to, lte !== undefined)}$` };
}

function inWords(
  rules: TimeRules,
  write: (time: Time) => string,
  words: Readonly<Record<"below" | "above" | "until" | "from", string>>,
): Ruled {
  const list = (times: readonly Time[]) => times.map((time) => `\`${write(time)}\``).join(", ");
  const bounds = [
    rules.gte ? `${words.from} \`${write(rules.gte)}\`` : "",
    rules.gt ? `${words.above} \`${write(rules.gt)}\`` : "",
    rules.lte ? `${words.until} \`${write(rules.lte)}\`` : "",
    rules.lt ? `${words.below} \`${write(rules.lt)}\`` : "",
  ].filter(Boolean);
  return {
    schema: {},
    notes: [
      ...(bounds.length > 0 ? [bounds.join(", ")] : []),
      ...(rules.lt_now ? ["in the past"] : []),
      ...(rules.gt_now ? ["in the future"] : []),
      ...(rules.within ? [`within \`${durationText(rules.within)}\` of now`] : []),
      ...(rules.const ? [`exactly \`${write(rules.const)}\``] : []),
      ...(rules.in ? [`one of ${list(rules.in)}`] : []),
      ...(rules.not_in ? [`not one of ${list(rules.not_in)}`] : []),
    ],
  };
}

function timestampText({ seconds = 0n, nanos = 0 }: Time): string {
  const date = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(date.getTime())) return durationText({ seconds, nanos });
  return date.toISOString().replace(".000Z", `${fraction(nanos)}Z`);
}

function durationText({ seconds = 0n, nanos = 0 }: Time): string {
  const sign = seconds < 0n || nanos < 0 ? "-" : "";
  return `${sign}${seconds < 0n ? -seconds : seconds}${fraction(Math.abs(nanos))}s`;
}

function fraction(nanos: number): string {
  return nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
}
