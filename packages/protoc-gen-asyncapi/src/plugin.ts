import { createDocumentPlugin } from "@settle/proto-schemas/plugin/document-plugin";
import type { Plugin } from "@settle/proto-schemas/plugin/plugin";
import { createDocument } from "./document.ts";
import { readEvents } from "./events.ts";
import { readOptions } from "./options.ts";

/**
 * Creates the plugin. If events are invalid, the response contains an error with file and line.
 * Errors in the base file are in the response as well; errors in the options throw.
 */
export function createPlugin(): Plugin {
  return createDocumentPlugin({
    name: "protoc-gen-asyncapi",
    readOptions,
    // Loaded on demand, so that `--help` does not wait for it.
    readBase: async ({ base }) => (await import("./base.ts")).readBase(base),
    *create(options, base, surroundings, files) {
      const { base: baseFile = "" } = options;
      const context = {
        ...surroundings,
        base,
        baseFile,
        defaults: "omitted",
        int64: "string",
      } as const;
      const events = readEvents(context, files);
      if (events.length === 0) return;
      yield { file: `${options.name}.json`, content: createDocument(context, events) };
    },
    warn: () => undefined,
  });
}
