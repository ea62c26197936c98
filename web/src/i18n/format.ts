import { formatMoney, formatMoneyToParts, type MoneyValue } from "@settle/sdk";

/** An amount in parts, so that the decimals can be set smaller. */
export type MoneyParts = readonly { readonly kind: "whole" | "fraction"; readonly text: string }[];

/** Formats numbers, amounts and times in one language. */
export type Format = {
  money(sum: MoneyValue): string;
  /** With a leading plus or minus. */
  signedMoney(sum: MoneyValue): string;
  moneyParts(sum: MoneyValue): MoneyParts;
  number(value: number): string;
  /** `14:32:05` */
  time(ms: number): string;
  /** `25 Nov` in the current year, otherwise with the year. */
  day(ms: number, nowMs: number): string;
  /** `14:32:05.123` */
  preciseTime(ms: number): string;
  /** `25 Nov 2026, 14:32:05.123` */
  dateTime(ms: number): string;
  /** `3 minutes ago` */
  relative(ms: number, nowMs: number): string;
  /** `6 ms`, `1.2 s`, `3 min`. */
  duration(ms: number): string;
};

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Creates the format of a language. */
export function createFormat(language: string): Format {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const time = new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" });
  const precise = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  } as const;
  const preciseTime = new Intl.DateTimeFormat(language, precise);
  const dateTime = new Intl.DateTimeFormat(language, {
    ...precise,
    day: "numeric",
    month: "short",
    year: "numeric",
  });
  const thisYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const otherYear = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const unit = (name: string, value: number, digits: number) =>
    new Intl.NumberFormat(language, {
      style: "unit",
      unit: name,
      unitDisplay: "short",
      maximumFractionDigits: digits,
    }).format(value);

  return {
    money: (sum) => formatMoney(sum, language),
    signedMoney(sum) {
      const text = formatMoney(sum, language);
      return sum.minorUnits > 0n ? `+${text}` : text.replace("-", "−");
    },
    moneyParts: (sum) => partsOf(language, sum),
    number: (value) => number.format(value),
    time: (ms) => time.format(ms),
    day: (ms, nowMs) =>
      (new Date(ms).getFullYear() === new Date(nowMs).getFullYear() ? thisYear : otherYear).format(
        ms,
      ),
    preciseTime: (ms) => preciseTime.format(ms),
    dateTime: (ms) => dateTime.format(ms),
    relative(ms, nowMs) {
      const ago = ms - nowMs;
      const size = Math.abs(ago);
      if (size < minute) return relative.format(Math.round(ago / second), "second");
      if (size < hour) return relative.format(Math.round(ago / minute), "minute");
      if (size < day) return relative.format(Math.round(ago / hour), "hour");
      return relative.format(Math.round(ago / day), "day");
    },
    duration(ms) {
      if (ms < 10) return unit("millisecond", ms, 1);
      if (ms < second) return unit("millisecond", ms, 0);
      if (ms < minute) return unit("second", ms / second, 1);
      if (ms < hour) return unit("minute", ms / minute, 0);
      return ms < 2 * day ? unit("hour", ms / hour, 0) : unit("day", ms / day, 0);
    },
  };
}

function partsOf(language: string, sum: MoneyValue): MoneyParts {
  return formatMoneyToParts(sum, language).map(({ type, value }) => ({
    kind: type === "decimal" || type === "fraction" ? "fraction" : "whole",
    text: value,
  }));
}
