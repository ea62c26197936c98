/** What an order that is to be placed again begins with. */
export type Draft = { readonly amount: string; readonly description: string };
