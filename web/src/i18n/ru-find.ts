import type { Messages } from "./en.ts";
import { plural } from "./plural.ts";

const orders = (count: number, text: string) =>
  `${text}\u00a0${plural("ru", count, { one: "заказ", few: "заказа", many: "заказов", other: "заказа" })}`;

/** The texts of the search and the filters of orders, in Russian. */
export const ruFind: Messages["find"] = {
  label: "Поиск по заказам",
  hint: "Описание или номер",
  filters: (count) => (count === 0 ? "Фильтры" : `Фильтры (${count})`),
  status: "Статус",
  anyStatus: "Любой",
  from: "С",
  to: "По",
  wrongOrder: "Конец периода раньше начала.",
  period: "Период",
  ranges: { today: "Сегодня", week: "7\u00a0дней", month: "30\u00a0дней" },
  since: (day) => `С ${day}`,
  until: (day) => `По ${day}`,
  quoted: (text) => `«${text}»`,
  remove: (what) => `Убрать фильтр: ${what}`,
  clear: "Сбросить всё",
  found: (count, text) =>
    `${plural("ru", count, { one: "Найден", other: "Найдено" })} ${orders(count, text)}`,
  foundAmong: (found, loaded) => `Найдено ${found} из\u00a0последних ${loaded}`,
  latest: (loaded) => `Показаны последние ${loaded}`,
  none: "Ничего не\u00a0нашлось",
  noneNext: "Проверьте запрос или уберите фильтр.",
  noneAmong: (count, text) => `Пока проверены последние ${orders(count, text)}.`,
  older: "Искать дальше",
  noSuchId: "Заказ не\u00a0найден",
  noSuchIdNext: "Проверьте номер. Здесь видны только ваши заказы.",
  firstSteps: [
    { title: "Пополните счёт", text: "Деньги доступны сразу." },
    { title: "Оформите заказ", text: "Укажите сумму, описание\u00a0— по\u00a0желанию." },
    {
      title: "Следите за\u00a0оплатой",
      text: "Список обновляется сам, а\u00a0в\u00a0заказе виден каждый шаг.",
    },
  ],
};
