import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema } from "@bufbuild/protobuf/wkt";
import { createPlugin } from "../../packages/protoc-gen-openapi/src/plugin.ts";
import { fetchGoogleProtos } from "../generate/third-party-protos.ts";
import { compileGoogleProtos } from "../openapi-conformance/google-protos.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Our document, which all clients are made from. */
export const settleDocument = join(root, "gen/openapi/settle.json");

/** Packages of Google's public protos, with what each adds to the others. */
export const publicPackages: Readonly<Record<string, string>> = {
  "google.pubsub.v1": "oneofs, maps, durations, field masks",
  "google.logging.v2": "any messages, structs, 64-bit integers, several paths for a method",
  "google.firestore.v1": "recursive values, server streams, bytes",
  "google.spanner.v1": "partial result streams, lists of any values, deep messages",
  "google.cloud.kms.v1": "wrappers, checksums, custom verbs, large enums",
};

/**
 * Writes our plugin's documents of the public packages into the folder; returns their paths by
 * package. The protos are downloaded with npm the first time.
 */
export async function writePublicDocuments(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = Object.keys(publicPackages);
  const protos = await fetchGoogleProtos(root);
  const paths = names.flatMap((name) => ["--path", join(protos, name.replaceAll(".", "/"))]);
  const protoFile = await compileGoogleProtos(...paths);
  const chosen = protoFile.filter((file) => names.includes(file.package));
  const { file, error } = await createPlugin({ warn: () => {} }).run(
    create(CodeGeneratorRequestSchema, {
      parameter: "unsupported=warn",
      protoFile: [...protoFile],
      fileToGenerate: chosen.map(({ name }) => name),
    }),
  );
  if (error) throw new Error(error);
  mkdirSync(folder, { recursive: true });
  const written = new Map(
    file.map(({ name, content }) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return [name.replace(/\.json$/, ""), path] as const;
    }),
  );
  for (const name of names) {
    if (!written.has(name)) throw new Error(`the plugin wrote no document of ${name}`);
  }
  return written;
}
