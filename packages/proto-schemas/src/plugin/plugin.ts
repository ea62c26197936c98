import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** The fields of google.protobuf.compiler.CodeGeneratorRequest that a plugin reads. */
export type Request = {
  readonly parameter: string;
  readonly fileToGenerate: readonly string[];
  readonly protoFile: readonly FileDescriptorProto[];
  readonly sourceFileDescriptors: readonly FileDescriptorProto[];
};

/** The contents of a google.protobuf.compiler.CodeGeneratorResponse: files, or an error. */
export type Response = {
  readonly error: string;
  readonly file: readonly { readonly name: string; readonly content: string }[];
};

/**
 * A plugin for buf and protoc, without its program. `run` handles the request of a compiler. It
 * rejects only if the options are invalid ({@link OptionFault}) or the plugin has a bug.
 */
export type Plugin = {
  readonly name: string;
  run(request: Request): Promise<Response>;
};

/** An option of the plugin, as passed by the compiler. */
export type GivenOption = { readonly key: string; readonly value: string };

/** Thrown if an option is unknown or its value is not allowed; the message is for the user. */
export class OptionFault extends Error {}

/**
 * Splits the parameter of a request: `a=1,b` is `a` with the value `1`, and `b` without a value.
 */
export function splitParameter(parameter: string): readonly GivenOption[] {
  return parameter
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [key = "", ...value] = part.split("=");
      return { key, value: value.join("=") };
    });
}
