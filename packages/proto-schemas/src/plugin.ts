import type { CodeGeneratorRequest, CodeGeneratorResponse } from "@bufbuild/protobuf/wkt";

/**
 * A plugin of buf and protoc, apart from how it is started. `run` answers a compiler's request;
 * rejects only for a fault in the options ({@link OptionFault}) or in the plugin.
 */
export type Plugin = {
  readonly name: string;
  run(request: CodeGeneratorRequest): Promise<CodeGeneratorResponse>;
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
