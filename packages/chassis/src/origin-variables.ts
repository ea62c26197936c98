import { z } from "zod";

/** A variable that is a web origin, such as `https://shop.example`. */
export const originVariable = z
  .url({ protocol: /^https?$/ })
  .refine(isOrigin, "must be an origin")
  .meta({ takes: "origin" });

/** A variable that lists web origins, separated by commas; an empty one lists none. */
export const originsVariable = z
  .string()
  .transform((list) => list.split(",").filter(Boolean))
  .refine((origins) => origins.every(isOrigin), "must be origins, separated by commas")
  .meta({ takes: "origins, separated by commas" });

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
