import { maximumEdition, minimumEdition } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Response } from "./plugin.ts";

/** Numbers of the fields of google.protobuf.compiler.CodeGeneratorResponse and of its files. */
const fields = { error: 1, features: 2, minimumEdition: 3, maximumEdition: 4, file: 15 } as const;
const fileFields = { name: 1, content: 15 } as const;
/** FEATURE_PROTO3_OPTIONAL and FEATURE_SUPPORTS_EDITIONS. */
const features = 1 | 2;

/**
 * Encodes a CodeGeneratorResponse. Does not use its schema, which takes time to create at start.
 */
export function writeResponse({ error, file }: Response): Uint8Array {
  const writer = new BinaryWriter();
  if (error !== "") writer.tag(fields.error, WireType.LengthDelimited).string(error);
  writer.tag(fields.features, WireType.Varint).uint32(features);
  writer.tag(fields.minimumEdition, WireType.Varint).int32(minimumEdition);
  writer.tag(fields.maximumEdition, WireType.Varint).int32(maximumEdition);
  for (const { name, content } of file) {
    writer.tag(fields.file, WireType.LengthDelimited).fork();
    writer.tag(fileFields.name, WireType.LengthDelimited).string(name);
    writer.tag(fileFields.content, WireType.LengthDelimited).string(content);
    writer.join();
  }
  return writer.finish();
}
