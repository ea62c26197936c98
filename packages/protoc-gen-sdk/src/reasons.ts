import {
  type DescEnum,
  type DescFile,
  type DescMethod,
  type DescService,
  getOption,
} from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { error_reasons } from "@settle/gen/errors/v1/errors_pb";
import { commentText } from "./comments.ts";

const enumName = "errors.v1.ErrorReason";

/** An error reason of the contract. */
export type Reason = {
  /** The name without prefix, such as `ORDER_NOT_FOUND`. */
  readonly word: string;
  readonly className: string;
  /** Its comment, which starts with its code. */
  readonly text: string;
};

export type Reasons = {
  readonly file: DescFile;
  readonly all: readonly Reason[];
  /** The reasons that no method declares, because every method can return them. */
  readonly common: readonly Reason[];
  /** Returns the reasons that the method declares. */
  of(method: DescMethod): readonly Reason[];
};

/**
 * Reads the error reasons, and which methods declare them. Throws if the contract does not have the
 * enum `errors.v1.ErrorReason`, or if a comment in it does not start with a code.
 */
export function readReasons(files: readonly DescFile[], services: readonly DescService[]): Reasons {
  const desc = files.flatMap(({ enums }) => enums).find(({ typeName }) => typeName === enumName);
  if (!desc) throw new Error(`the contract has no ${enumName}`);
  const byNumber = new Map(
    desc.values
      .filter(({ number }) => number !== 0)
      .map((value) => [value.number, reasonOf(value)]),
  );
  const of = (method: DescMethod) =>
    getOption(method, error_reasons).map((number) => {
      const reason = byNumber.get(number);
      if (!reason)
        throw new Error(`${method.name} declares the reason ${number}, not in ${enumName}`);
      return reason;
    });
  const declared = new Set(services.flatMap(({ methods }) => methods.flatMap(of)));
  const all = [...byNumber.values()];
  return { file: desc.file, all, common: all.filter((reason) => !declared.has(reason)), of };
}

function reasonOf(value: DescEnum["values"][number]): Reason {
  const word = value.localName;
  const text = commentText(getComments(value));
  if (!/^[A-Z_]+\b/.test(text))
    throw new Error(`the comment of ${value.name} must start with a code`);
  const pascal = word
    .toLowerCase()
    .replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  return { word, className: `${pascal}Error`, text };
}
