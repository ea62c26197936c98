/** The currencies that the page offers for new accounts; the contract accepts any of ISO 4217. */
export const currencies = ["EUR", "USD", "CHF", "GBP", "RUB", "JPY"] as const;
