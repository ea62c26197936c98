/** A Chromium, and what its environment needs besides. */
export type BrowserProgram = {
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
};
