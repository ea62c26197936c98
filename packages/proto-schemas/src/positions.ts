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
const raw = new WeakMap<FileDescriptorProto, Uint8Array>();

/** Keeps the `google.protobuf.SourceCodeInfo` of a file that was read without it. */
export function keepRawPositions(file: FileDescriptorProto, bytes: Uint8Array): void {
  raw.set(file, bytes);
}

/**
 * Returns how to find the position of what is declared in a file, by its path in the descriptor
 * (as {@link pathKey} writes it). Of a file with thousands of comments a document often shows a
 * handful, so their texts are read one at a time.
 */
export function readPositions(file: FileDescriptorProto): (key: string) => Position | undefined {
  const bytes = raw.get(file) ?? bytesOf(file);
  const places = new Map<string, Buffer>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no !== 1 || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, no);
      continue;
    }
    const place = asBuffer(reader.bytes());
    // What occurs twice, as `extend` blocks do, is nothing that documents show.
    places.set(readPath(place), place);
  }
  return (key) => {
    const place = places.get(key);
    return place && readPosition(place);
  };
}

/** Writes the path of a declaration as the bytes of its descriptor have it. */
export function pathKey(path: readonly number[]): string {
  return path.map(varint).join("");
}

function bytesOf({ sourceCodeInfo }: FileDescriptorProto): Uint8Array {
  return sourceCodeInfo ? toBinary(SourceCodeInfoSchema, sourceCodeInfo) : new Uint8Array();
}

function varint(value: number): string {
  return value < 128
    ? String.fromCharCode(value)
    : String.fromCharCode((value % 128) + 128) + varint(Math.floor(value / 128));
}

/** Every compiler writes the path first, packed, and no declaration is so deep that it is long. */
function readPath(place: Buffer): string {
  const [tag, length = 0] = place;
  const isPath = tag === (location.path << 3) + WireType.LengthDelimited && length < 128;
  return isPath ? place.toString("latin1", 2, 2 + length) : "";
}

function readPosition(place: Buffer): Position {
  const reader = new BinaryReader(place);
  let line = 0;
  let leading = "";
  let trailing = "";
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === location.span && wireType === WireType.LengthDelimited) {
      const end = reader.uint32() + reader.pos;
      line = reader.uint32();
      reader.pos = end;
    } else if (no === location.leadingComments) leading = reader.string();
    else if (no === location.trailingComments) trailing = reader.string();
    else reader.skip(wireType, no);
  }
  return { line, comment: leading || trailing };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
