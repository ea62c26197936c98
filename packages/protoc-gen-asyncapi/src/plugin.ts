import { createDocumentPlugin } from "@settle/proto-schemas/document-plugin";
import type { Plugin } from "@settle/proto-schemas/plugin";
import { createDocument } from "./document.ts";
import { readEvents } from "./events.ts";
import { readOptions } from "./options.ts";

/**
 * Creates the plugin. Events of which no true document can be written are refused in the response,
 * by file and line; a fault in the base is refused too, one in the options throws.
 */
export function createPlugin(): Plugin {
  return createDocumentPlugin({
    name: "protoc-gen-asyncapi",
    readOptions,
    // Loaded when it is asked for: a call for help need not wait for it.
    readBase: async ({ base }) => (await import("./base.ts")).readBase(base),
    *create(options, base, surroundings, files) {
      const { base: baseFile = "" } = options;
      const context = { ...surroundings, base, baseFile, defaults: "omitted" } as const;
      const events = readEvents(context, files);
      if (events.length === 0) return;
      yield { file: `${options.name}.json`, content: createDocument(context, events) };
    },
    warn: () => undefined,
  });
}
