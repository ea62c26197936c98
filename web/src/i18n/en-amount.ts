/** What is wrong with an amount. */
export const enAmount = {
  empty: "Enter an amount.",
  "not-a-number": (example: string) => `Enter an amount, for example ${example}.`,
  ambiguous: (one: string, other: string) => `This can mean two amounts. Enter ${one} or ${other}.`,
  "too-many-digits": (digits: number) =>
    digits === 0
      ? "Enter a whole number: this currency has no decimals."
      : `Use no more than ${digits} decimal places.`,
  "too-small": "Enter an amount greater than zero.",
  "too-large": (max: string) => `The maximum is ${max}.`,
};
