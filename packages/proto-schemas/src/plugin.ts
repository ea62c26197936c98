import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** What a plugin reads of a google.protobuf.compiler.CodeGeneratorRequest. */
export type Request = {
  readonly parameter: string;
  readonly fileToGenerate: readonly string[];
  readonly protoFile: readonly FileDescriptorProto[];
  readonly sourceFileDescriptors: readonly FileDescriptorProto[];
};

/** What a plugin says by a google.protobuf.compiler.CodeGeneratorResponse: files, or an error. */
export type Response = {
  readonly error: string;
  readonly file: readonly { readonly name: string; readonly content: string }[];
};

/**
 * A plugin of buf and protoc, apart from how it is started. `run` answers a compiler's request;
 * rejects only for a fault in the options ({@link OptionFault}) or in the plugin.
 */
export type Plugin = {
  readonly name: string;
  run(request: Request): Promise<Response>;
};

/** An option of the plugin, as the compiler passes it on. */
export type GivenOption = { readonly key: string; readonly value: string };

/** Thrown for an option that is unknown or has no value it may have; the message is for the user. */
export class OptionFault extends Error {}

/** Splits the parameter of a request: `a=1,b` are the options `a` with `1` and `b` with nothing. */
export function splitParameter(parameter: string): readonly GivenOption[] {
  return parameter
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [key = "", ...value] = part.split("=");
      return { key, value: value.join("=") };
    });
}
