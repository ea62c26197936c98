/** The initial input of an order that is placed again. */
export type Draft = { readonly amount: string; readonly description: string };
