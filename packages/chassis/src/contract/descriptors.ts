import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Reads the descriptor set of the whole contract, the one by which Envoy transcodes. */
export function readDescriptors(): Promise<Uint8Array> {
  return readFile(fileURLToPath(import.meta.resolve("@settle/gen/descriptors.binpb")));
}
