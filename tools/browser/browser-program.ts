/** A Chromium and its additional environment variables. */
export type BrowserProgram = {
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
};
