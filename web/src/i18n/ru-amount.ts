import type { enAmount } from "./en-amount.ts";
import { plural } from "./plural.ts";

/** What is wrong with an amount, in Russian. */
export const ruAmount: typeof enAmount = {
  empty: "Введите сумму.",
  "not-a-number": (example) => `Введите сумму, например\u00a0${example}.`,
  ambiguous: (one, other) => `Сумму можно понять двояко. Введите ${one}\u00a0или\u00a0${other}.`,
  "too-many-digits": (digits) =>
    digits === 0
      ? "Введите целое число: в этой валюте нет дробной части."
      : `Не больше ${digits}\u00a0${plural("ru", digits, { one: "знака", few: "знаков", many: "знаков", other: "знаков" })} после запятой.`,
  "too-small": "Введите сумму больше нуля.",
  "too-large": (max) => `Максимальная сумма\u00a0— ${max}.`,
};
