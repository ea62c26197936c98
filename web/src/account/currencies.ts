/** The currencies that an account can be opened in here; the contract takes any of ISO 4217. */
export const currencies = ["EUR", "USD", "CHF", "GBP", "RUB", "JPY"] as const;
