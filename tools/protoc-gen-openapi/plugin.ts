import { create } from "@bufbuild/protobuf";
import { CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { createEcmaScriptPlugin, type Plugin, type Schema } from "@bufbuild/protoplugin";
import { readBase } from "./base.ts";
import { createComplaints, Refusal } from "./complaints.ts";
import { createDocuments } from "./documents.ts";
import { createExtensions } from "./extensions.ts";
import { type Options, readOptions } from "./options.ts";
import { createSource } from "./source.ts";

/**
 * Creates the plugin. Protos of which no true document can be written are refused in the response,
 * by file and line, as compilers of protos expect it; with `unsupported=warn` the same lines go to
 * `warn` and what they are about is left out. A fault in the base is refused too, one in the options
 * throws.
 */
export function createPlugin({ warn }: { readonly warn: (line: string) => void }): Plugin {
  const emit = (schema: Schema<Options>) => {
    const { options } = schema;
    const source = createSource();
    const complaints = createComplaints(source);
    const extensions = createExtensions(schema.allFiles);
    const context = { options, base: readBase(options.base), extensions, source, complaints };
    for (const { file, content } of createDocuments(context, schema.files)) {
      schema.generateFile(file).print(JSON.stringify(content, undefined, 2));
    }
    const found = complaints.list();
    if (found.length > 0 && options.unsupported === "error") throw new Refusal(found.join("\n"));
    for (const complaint of found) warn(complaint);
  };
  const plugin = createEcmaScriptPlugin<Options>({
    name: "protoc-gen-openapi",
    version: "v1",
    parseOptions: readOptions,
    // The framework is made for TypeScript and its targets; documents are the same for each.
    generateTs: emit,
    generateJs: emit,
    generateDts: () => {},
  });
  return {
    ...plugin,
    run(request) {
      try {
        return plugin.run(request);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return create(CodeGeneratorResponseSchema, { error: error.message });
      }
    },
  };
}
