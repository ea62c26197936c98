import { create, type DescFile } from "@bufbuild/protobuf";
import { CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { createEcmaScriptPlugin, type Plugin, type Schema } from "@bufbuild/protoplugin";
import { createComplaints, Refusal } from "./complaints.ts";
import type { Context } from "./context.ts";
import { createExtensions } from "./extensions.ts";
import type { JsonObject } from "./json-schema.ts";
import { createSource } from "./source.ts";

/** A document and the name of its file. */
export type Document = { readonly file: string; readonly content: JsonObject };

/** The parts of the context that all documents of a run share. */
export type Surroundings = Pick<Context, "extensions" | "source" | "complaints">;

/**
 * Creates a plugin that writes JSON documents, one at a time, because they may be large. If no correct
 * document can be generated, the response contains the error, as compilers expect: a
 * {@link Refusal}, or the complaints that `create` has added, each with file and line. Invalid options
 * throw.
 */
export function createDocumentPlugin<Options extends object>(plugin: {
  readonly name: string;
  readonly readOptions: (given: readonly { key: string; value: string }[]) => Options;
  readonly create: (
    options: Options,
    surroundings: Surroundings,
    files: readonly DescFile[],
  ) => Iterable<Document>;
  /** Returns the function that prints complaints as warnings; undefined if they are errors. */
  readonly warn: (options: Options) => ((line: string) => void) | undefined;
}): Plugin {
  const emit = (schema: Schema<Options>) => {
    const { options, allFiles, files } = schema;
    const source = createSource();
    const complaints = createComplaints(source);
    const surroundings = { extensions: createExtensions(allFiles), source, complaints };
    for (const { file, content } of plugin.create(options, surroundings, files)) {
      schema.generateFile(file).print(JSON.stringify(content, undefined, 2));
    }
    const found = complaints.list();
    const warn = plugin.warn(options);
    if (found.length > 0 && warn === undefined) throw new Refusal(found.join("\n"));
    for (const complaint of found) warn?.(complaint);
  };
  const made = createEcmaScriptPlugin<Options>({
    name: plugin.name,
    version: "v1",
    parseOptions: plugin.readOptions,
    // The framework is for TypeScript and its targets; documents are the same for each.
    generateTs: emit,
    generateJs: emit,
    generateDts: () => {},
  });
  return {
    ...made,
    run(request) {
      try {
        return made.run(request);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return create(CodeGeneratorResponseSchema, { error: error.message });
      }
    },
  };
}
