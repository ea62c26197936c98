import type { DescMessage } from "@bufbuild/protobuf";
import type { GeneratedFile } from "@bufbuild/protoplugin";
import { typeNameIn } from "./reexports.ts";

/** Imports the type that protoc-gen-es generates for a message; with a suffix, its schema. */
export function importMessage(f: GeneratedFile, { typeName, file }: DescMessage, suffix = "") {
  const isGoogles = file.proto.package === "google.protobuf";
  const from = isGoogles ? "@bufbuild/protobuf/wkt" : `./messages/${file.name}_pb.js`;
  return f.import(typeNameIn(file, typeName) + suffix, from, true);
}
