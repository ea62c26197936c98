import type { AnyDesc, DescFile } from "@bufbuild/protobuf";
import { type Comment, readComment } from "./comments.ts";
import { type Position, pathStep, readPositions } from "./positions.ts";

/** The positions and comments of declarations. */
export type Source = {
  /** Returns the leading comment of `desc`, or else the trailing one; empty without either. */
  comment(desc: AnyDesc): Comment;
  /** Returns `file:line` of `desc`, or only the file if the set has no source positions. */
  place(desc: AnyDesc): string;
};

/** Creates a source that indexes the positions of a file on first use. */
export function createSource(): Source {
  const files = new Map<DescFile, ReturnType<typeof readPositions>>();
  const locate = (desc: AnyDesc): Position | undefined => {
    const file = fileOf(desc);
    let find = files.get(file);
    if (find === undefined) {
      find = readPositions(file.proto);
      files.set(file, find);
    }
    return find(pathOf(desc));
  };
  // Read once for both directions and all documents.
  const comments = new Map<AnyDesc, Comment>();
  return {
    comment(desc) {
      const known = comments.get(desc);
      if (known) return known;
      const comment = readComment(locate(desc)?.comment ?? "");
      comments.set(desc, comment);
      return comment;
    },
    place(desc) {
      const line = locate(desc)?.line;
      const { name } = fileOf(desc).proto;
      return line === undefined ? name : `${name}:${line + 1}`;
    },
  };
}

function fileOf(desc: AnyDesc): DescFile {
  switch (desc.kind) {
    case "file":
      return desc;
    case "field":
    case "oneof":
    case "enum_value":
    case "rpc":
      return desc.parent.file;
    default:
      return desc.file;
  }
}

/** Field numbers of google/protobuf/descriptor.proto, which form the path of a location. */
const inFile = { message: 4, enum: 5, service: 6, extension: 7 } as const;
const inMessage = { field: 2, message: 3, enum: 4, extension: 6, oneof: 8 } as const;
const inEnum = { value: 2 } as const;
const inService = { method: 2 } as const;

/** The path of a declaration in its file's descriptor, as {@link pathStep} writes it. */
function pathOf(desc: AnyDesc): string {
  switch (desc.kind) {
    case "file":
      return "";
    case "message":
      return desc.parent
        ? below(desc.parent, inMessage.message, desc.parent.proto.nestedType, desc)
        : below(desc.file, inFile.message, desc.file.proto.messageType, desc);
    case "enum":
      return desc.parent
        ? below(desc.parent, inMessage.enum, desc.parent.proto.enumType, desc)
        : below(desc.file, inFile.enum, desc.file.proto.enumType, desc);
    case "extension":
      return desc.parent
        ? below(desc.parent, inMessage.extension, desc.parent.proto.extension, desc)
        : below(desc.file, inFile.extension, desc.file.proto.extension, desc);
    case "service":
      return below(desc.file, inFile.service, desc.file.proto.service, desc);
    case "field":
      return below(desc.parent, inMessage.field, desc.parent.proto.field, desc);
    case "oneof":
      return below(desc.parent, inMessage.oneof, desc.parent.proto.oneofDecl, desc);
    case "enum_value":
      return below(desc.parent, inEnum.value, desc.parent.proto.value, desc);
    case "rpc":
      return below(desc.parent, inService.method, desc.parent.proto.method, desc);
  }
}

function below(
  parent: AnyDesc,
  number: number,
  siblings: readonly unknown[],
  desc: AnyDesc,
): string {
  return pathOf(parent) + pathStep(number) + pathStep(siblings.indexOf(desc.proto));
}
