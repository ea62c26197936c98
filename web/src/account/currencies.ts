/** The currencies that the page offers for new accounts; the contract accepts more. */
export const currencies = ["EUR", "USD", "CHF", "GBP", "RUB", "JPY"] as const;
