import type { Base } from "./base.ts";

/**
 * What {@link readBase} gives without a file. Said again, because most runs have no file: they need
 * not load what reads one.
 */
export const emptyBase: Base = {
  info: { title: "API", version: "unversioned" },
  requestHeaders: [],
  responseHeaders: [],
  streamErrors: "An error after the first message is not reported.",
};
