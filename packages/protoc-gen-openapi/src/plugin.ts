import { createDocumentPlugin } from "@settle/proto-schemas/document-plugin";
import type { Plugin } from "@settle/proto-schemas/plugin";
import { createDocuments } from "./documents.ts";
import { emptyBase } from "./empty-base.ts";
import { readOptions } from "./options.ts";

/**
 * Creates the plugin. Protos of which no true document can be written are refused in the response,
 * by file and line; with `unsupported=warn` the same lines go to `warn` and what they are about is
 * left out. A fault in the base is refused too, one in the options throws.
 */
export function createPlugin({ warn }: { readonly warn: (line: string) => void }): Plugin {
  return createDocumentPlugin({
    name: "protoc-gen-openapi",
    readOptions,
    async readBase({ base }) {
      return base === undefined ? emptyBase : (await import("./base.ts")).readBase(base);
    },
    create(options, base, surroundings, files) {
      const { defaults } = options;
      return createDocuments({ ...surroundings, options, base, defaults }, files);
    },
    warn: ({ unsupported }) => (unsupported === "warn" ? warn : undefined),
  });
}
