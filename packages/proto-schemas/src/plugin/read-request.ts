import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { keepRawPositions } from "../protos/positions.ts";
import type { Request } from "./plugin.ts";

/** Numbers of the fields of google.protobuf.compiler.CodeGeneratorRequest. */
const fields = { fileToGenerate: 1, parameter: 2, protoFile: 15, sourceFile: 17 } as const;
/** `source_code_info` of google.protobuf.FileDescriptorProto. */
const sourceCodeInfo = 9;

/**
 * Reads the request of a compiler. The positions and comments of a file, which are most of the
 * bytes, are not decoded until they are needed (`readPositions`): the files of the request do not
 * have `sourceCodeInfo`.
 */
export function readRequest(bytes: Uint8Array): Request {
  let parameter = "";
  const fileToGenerate: string[] = [];
  const protoFile: FileDescriptorProto[] = [];
  const sourceFileDescriptors: FileDescriptorProto[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === fields.fileToGenerate) fileToGenerate.push(reader.string());
    else if (no === fields.parameter) parameter = reader.string();
    else if (no === fields.protoFile) protoFile.push(readFile(reader.bytes()));
    else if (no === fields.sourceFile) sourceFileDescriptors.push(readFile(reader.bytes()));
    else reader.skip(wireType, no);
  }
  return { parameter, fileToGenerate, protoFile, sourceFileDescriptors };
}

function readFile(bytes: Uint8Array): FileDescriptorProto {
  const reader = new BinaryReader(bytes);
  const kept: Uint8Array[] = [];
  let keptFrom = 0;
  let positions: Uint8Array | undefined;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [no, wireType] = reader.tag();
    if (no !== sourceCodeInfo || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, no);
      continue;
    }
    positions = reader.bytes();
    kept.push(bytes.subarray(keptFrom, start));
    keptFrom = reader.pos;
  }
  const rest = Buffer.concat([...kept, bytes.subarray(keptFrom)]);
  const file = fromBinary(FileDescriptorProtoSchema, rest);
  if (positions) keepRawPositions(file, positions);
  return file;
}
