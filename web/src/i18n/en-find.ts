import { plural } from "./plural.ts";

const orders = (count: number, text: string) =>
  `${text} ${plural("en", count, { one: "order", other: "orders" })}`;

/** The texts of the search and the filters of orders, in English. */
export const enFind = {
  label: "Search orders",
  hint: "Description or order ID",
  filters: (count: number) => (count === 0 ? "Filters" : `Filters (${count})`),
  status: "Status",
  anyStatus: "Any status",
  from: "From",
  to: "To",
  wrongOrder: "The end date is before the start date.",
  period: "Period",
  ranges: { today: "Today", week: "Last 7 days", month: "Last 30 days" },
  since: (day: string) => `From ${day}`,
  until: (day: string) => `Until ${day}`,
  quoted: (text: string) => `“${text}”`,
  remove: (what: string) => `Remove filter: ${what}`,
  clear: "Clear all",
  found: (count: number, text: string) => `${orders(count, text)} found`,
  foundAmong: (found: string, loaded: string) => `${found} found in the latest ${loaded} orders`,
  latest: (loaded: string) => `Showing the latest ${loaded} orders`,
  none: "No orders found",
  noneNext: "Check the spelling or remove a filter.",
  noneAmong: (count: number, text: string) =>
    `Only the latest ${orders(count, text)} have been searched so far.`,
  older: "Search older orders",
  noSuchId: "Order not found",
  noSuchIdNext: "Check the order ID. You can only see your own orders.",
  firstSteps: [
    { title: "Top up your account", text: "The money is available at once." },
    { title: "Place an order", text: "Enter an amount and, if you like, what it’s for." },
    { title: "Follow the payment", text: "The list updates live. Open an order to see each step." },
  ],
};
