import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import {
  type CodeGeneratorRequest,
  CodeGeneratorRequestSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { keepRawPositions } from "./positions.ts";

const protoFileNumber = 15;
const sourceFileNumber = 17;
const sourceCodeInfoNumber = 9;

/**
 * Reads what a compiler sends. The positions and comments of a file, which are most of the bytes, are
 * left as they are until somebody asks for them ({@link readPositions}): the files of the request have
 * no `sourceCodeInfo`.
 */
export function readRequest(bytes: Uint8Array): CodeGeneratorRequest {
  const protoFile: FileDescriptorProto[] = [];
  const sourceFileDescriptors: FileDescriptorProto[] = [];
  const rest = without(bytes, (no, value) => {
    if (no === protoFileNumber) protoFile.push(readFile(value));
    else if (no === sourceFileNumber) sourceFileDescriptors.push(readFile(value));
    else return false;
    return true;
  });
  const request = fromBinary(CodeGeneratorRequestSchema, rest);
  return Object.assign(request, { protoFile, sourceFileDescriptors });
}

function readFile(bytes: Uint8Array): FileDescriptorProto {
  let positions: Uint8Array | undefined;
  const rest = without(bytes, (no, value) => {
    if (no !== sourceCodeInfoNumber) return false;
    positions = value;
    return true;
  });
  const file = fromBinary(FileDescriptorProtoSchema, rest);
  if (positions) keepRawPositions(file, positions);
  return file;
}

/** Returns a message without the fields of a length that `take` takes. */
function without(bytes: Uint8Array, take: (no: number, value: Uint8Array) => boolean): Uint8Array {
  const reader = new BinaryReader(bytes);
  const kept: Uint8Array[] = [];
  let keptFrom = 0;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [no, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, no);
    else if (take(no, reader.bytes())) {
      kept.push(bytes.subarray(keptFrom, start));
      keptFrom = reader.pos;
    }
  }
  kept.push(bytes.subarray(keptFrom));
  return Buffer.concat(kept);
}
