import { toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, SourceCodeInfoSchema } from "@bufbuild/protobuf/wkt";

/** Where something stands in its file, and the comments beside it. */
export type Position = {
  /** From 0 on. */
  readonly line: number;
  /** The comment in front, or else the one behind; as the compiler keeps it. */
  readonly comment: string;
};

/** Numbers of the fields of google.protobuf.SourceCodeInfo.Location. */
const location = { path: 1, span: 2, leadingComments: 3, trailingComments: 4 } as const;
/** The first length that needs a second byte. */
const maxPathBytes = 128;
const raw = new WeakMap<FileDescriptorProto, Uint8Array>();

/** Keeps the `google.protobuf.SourceCodeInfo` of a file that was read without it. */
export function keepRawPositions(file: FileDescriptorProto, bytes: Uint8Array): void {
  raw.set(file, bytes);
}

/**
 * Returns how to find the position of what is declared in a file, by its path in the descriptor
 * (as {@link pathStep} writes its numbers). Of a file with thousands of comments a document often shows a
 * handful, so their texts are read one at a time.
 */
export function readPositions(file: FileDescriptorProto): (key: string) => Position | undefined {
  const bytes = asBuffer(raw.get(file) ?? bytesOf(file));
  const places = new Map<string, number>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no !== 1 || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, no);
      continue;
    }
    const start = reader.pos;
    const length = reader.uint32();
    // What occurs twice, as `extend` blocks do, is nothing that documents show.
    places.set(readPath(bytes, reader.pos), start);
    reader.pos += length;
  }
  return (key) => {
    const place = places.get(key);
    return place === undefined ? undefined : readPosition(reader, place);
  };
}

/** Writes a number of a path as the bytes of the descriptor have it. */
export function pathStep(value: number): string {
  return value < 128
    ? String.fromCharCode(value)
    : String.fromCharCode((value % 128) + 128) + pathStep(Math.floor(value / 128));
}

function bytesOf({ sourceCodeInfo }: FileDescriptorProto): Uint8Array {
  return sourceCodeInfo ? toBinary(SourceCodeInfoSchema, sourceCodeInfo) : new Uint8Array();
}

/** Every compiler writes the path first, packed, and no declaration is so deep that it is long. */
function readPath(bytes: Buffer, start: number): string {
  const length = bytes[start + 1] ?? 0;
  const isPath =
    bytes[start] === (location.path << 3) + WireType.LengthDelimited && length < maxPathBytes;
  return isPath ? bytes.toString("latin1", start + 2, start + 2 + length) : "";
}

function readPosition(reader: BinaryReader, start: number): Position {
  reader.pos = start;
  const end = reader.uint32() + reader.pos;
  let line = 0;
  let leading = "";
  let trailing = "";
  while (reader.pos < end) {
    const [no, wireType] = reader.tag();
    if (no === location.span && wireType === WireType.LengthDelimited) {
      const afterSpan = reader.uint32() + reader.pos;
      line = reader.uint32();
      reader.pos = afterSpan;
    } else if (no === location.leadingComments) leading = reader.string();
    else if (no === location.trailingComments) trailing = reader.string();
    else reader.skip(wireType, no);
  }
  return { line, comment: leading || trailing };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
