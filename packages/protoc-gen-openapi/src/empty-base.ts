import type { Base } from "./base.ts";

/**
 * The result of {@link readBase} without a file. Most runs have no base file, and this constant
 * saves them from loading the parser.
 */
export const emptyBase: Base = {
  info: { title: "API", version: "unversioned" },
  requestHeaders: [],
  responseHeaders: [],
  streamErrors: "An error after the first message is not reported.",
};
