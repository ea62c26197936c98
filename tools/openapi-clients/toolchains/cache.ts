import { fileURLToPath } from "node:url";

/** Downloaded tools are kept here. */
export const cacheDir = fileURLToPath(new URL("../../../.cache", import.meta.url));
