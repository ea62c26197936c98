import { createDocumentPlugin } from "@settle/proto-schemas/plugin/document-plugin";
import type { Plugin } from "@settle/proto-schemas/plugin/plugin";
import { createDocuments } from "./documents.ts";
import { emptyBase } from "./empty-base.ts";
import { readOptions } from "./options.ts";

/**
 * Creates the plugin. If the protos use unsupported features, the response contains an error with
 * file and line; with `unsupported=warn`, these lines go to `warn` and the features are left out.
 * Errors in the base file are in the response as well; errors in the options throw.
 */
export function createPlugin({ warn }: { readonly warn: (line: string) => void }): Plugin {
  return createDocumentPlugin({
    name: "protoc-gen-openapi",
    readOptions,
    async readBase({ base }) {
      return base === undefined ? emptyBase : (await import("./base.ts")).readBase(base);
    },
    create(options, base, surroundings, files) {
      const { defaults, int64 } = options;
      return createDocuments({ ...surroundings, options, base, defaults, int64 }, files);
    },
    warn: ({ unsupported }) => (unsupported === "warn" ? warn : undefined),
    remedy: "Change the protos, or leave this out of the document by the option unsupported=warn",
  });
}
