/** A day in the time zone of this browser, as ISO 8601: `2026-11-22`. Days compare as texts. */
export type Day = string;

const shape = /^(\d{4})-(\d\d)-(\d\d)$/;
/** The days that a range may start or end with: the contract takes times from 1970 to 9999. */
export const firstDay: Day = "1971-01-01";
export const lastDay: Day = "9998-12-31";

/** Returns the day of a time. */
export function dayOf(ms: number): Day {
  const date = new Date(ms);
  const digits = (value: number, length: number) => String(value).padStart(length, "0");
  return [
    digits(date.getFullYear(), 4),
    digits(date.getMonth() + 1, 2),
    digits(date.getDate(), 2),
  ].join("-");
}

/** Returns the text if it is a day from 1971 to 9998, and undefined otherwise. */
export function parseDay(text: string): Day | undefined {
  const isDay = shape.test(text) && text >= firstDay && text <= lastDay;
  // February 30 would be a day of March.
  return isDay && dayOf(startOfDay(text)) === text ? text : undefined;
}

/** Returns the time at which the day, or one that many days later, starts. */
export function startOfDay(day: Day, daysLater = 0): number {
  const [, year, month, date] = shape.exec(day) ?? [];
  // Counted by the calendar: with a change of the clocks, a day has 23 or 25 hours.
  return new Date(Number(year), Number(month) - 1, Number(date) + daysLater).getTime();
}

/** Returns the day that many days later, or earlier if negative. */
export function addDays(day: Day, days: number): Day {
  return dayOf(startOfDay(day, days));
}

/** Returns the day as a heading in the language: `Today`, `Yesterday`, `Monday, November 23`. */
export function dayTitle(day: Day, today: Day, language: string): string {
  return capital(relativeDay(day, today, language) ?? dateTitle(day, today, language), language);
}

function relativeDay(day: Day, today: Day, language: string): string | undefined {
  const ago = [today, addDays(today, -1)].indexOf(day);
  if (ago === -1) return undefined;
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day");
}

function dateTitle(day: Day, today: Day, language: string): string {
  const isThisYear = day.slice(0, 4) === today.slice(0, 4);
  return new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "long",
    ...(isThisYear ? { weekday: "long" } : { year: "numeric" }),
  }).format(startOfDay(day));
}

const capital = (text: string, language: string) =>
  text.slice(0, 1).toLocaleUpperCase(language) + text.slice(1);
