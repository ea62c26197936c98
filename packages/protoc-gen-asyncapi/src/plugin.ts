import type { Plugin } from "@bufbuild/protoplugin";
import { createDocumentPlugin } from "@settle/proto-schemas/document-plugin";
import { readBase } from "./base.ts";
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
    *create(options, surroundings, files) {
      const base = readBase(options.base);
      const context = { ...surroundings, base, defaults: "omitted" } as const;
      const events = readEvents(context, files);
      if (events.length === 0) return;
      yield { file: `${options.name}.json`, content: createDocument(context, events) };
    },
    warn: () => undefined,
  });
}
