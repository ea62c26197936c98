import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Reads the descriptor set of the whole contract, which Envoy also uses for transcoding. */
export function readDescriptors(): Promise<Uint8Array> {
  return readFile(fileURLToPath(import.meta.resolve("@settle/gen/descriptors.binpb")));
}
