import { readFileSync } from "node:fs";

const manifest = new URL("../../package.json", import.meta.url);

/** The version of this software: all its packages have the same. */
export const version: string = JSON.parse(readFileSync(manifest, "utf8")).version;
