import { toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, SourceCodeInfoSchema } from "@bufbuild/protobuf/wkt";

/** The line and the comment of a declaration. */
export type Position = {
  /** Starts at 0. */
  readonly line: number;
  /** The leading comment, or else the trailing one, as in the descriptor. */
  readonly comment: string;
};

/** Numbers of the fields of google.protobuf.SourceCodeInfo.Location. */
const location = { path: 1, span: 2, leadingComments: 3, trailingComments: 4 } as const;
/** The smallest length that takes two bytes. */
const maxPathBytes = 128;
const raw = new WeakMap<FileDescriptorProto, Uint8Array>();

/** Stores the encoded `google.protobuf.SourceCodeInfo` of a file that was read without it. */
export function keepRawPositions(file: FileDescriptorProto, bytes: Uint8Array): void {
  raw.set(file, bytes);
}

/**
 * Returns a function that finds the position of a declaration by its path in the descriptor,
 * written with {@link pathStep}. It decodes one position at a time, because a document often needs
 * only a few of the thousands in a file.
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
    // Paths that occur twice, as for `extend` blocks, are not used in documents.
    places.set(readPath(bytes, reader.pos), start);
    reader.pos += length;
  }
  return (key) => {
    const place = places.get(key);
    return place === undefined ? undefined : readPosition(reader, place);
  };
}

/** Encodes a number of a path as in the descriptor, as a varint. */
export function pathStep(value: number): string {
  return value < 128
    ? String.fromCharCode(value)
    : String.fromCharCode((value % 128) + 128) + pathStep(Math.floor(value / 128));
}

function bytesOf({ sourceCodeInfo }: FileDescriptorProto): Uint8Array {
  return sourceCodeInfo ? toBinary(SourceCodeInfoSchema, sourceCodeInfo) : new Uint8Array();
}

/**
 * Reads the path, which compilers write first and packed. Ignores paths of {@link maxPathBytes}.
 */
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
