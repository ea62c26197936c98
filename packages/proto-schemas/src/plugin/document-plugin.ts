import { create, createFileRegistry, type DescFile, type Registry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "../json/json-schema.ts";
import { createComplaints, Refusal } from "../protos/complaints.ts";
import type { Context } from "../protos/context.ts";
import { createExtensions } from "../protos/extensions.ts";
import { createSource } from "../protos/source.ts";
import { type GivenOption, type Plugin, type Request, splitParameter } from "./plugin.ts";

/** A document and the name of its file. */
export type Document = { readonly file: string; readonly content: JsonObject };

/** The parts of the context that all documents of a run share. */
export type Surroundings = Pick<Context, "extensions" | "source" | "complaints">;

/**
 * Creates a plugin that writes JSON documents, one at a time, because they may be large. If no
 * correct document can be generated, the response contains the error, as compilers expect: a
 * {@link Refusal}, or the complaints that `create` has added, each with file and line. Invalid
 * options throw.
 */
export function createDocumentPlugin<Options extends object, Base>(plugin: {
  readonly name: string;
  readonly readOptions: (given: readonly GivenOption[]) => Options;
  /** Reads the base file. */
  readonly readBase: (options: Options) => Promise<Base>;
  readonly create: (
    options: Options,
    base: Base,
    surroundings: Surroundings,
    files: readonly DescFile[],
  ) => Iterable<Document>;
  /** Returns the function that prints complaints as warnings; undefined if they are errors. */
  readonly warn: (options: Options) => ((line: string) => void) | undefined;
  /** Ends an error of complaints: what else their reader can do than to change the protos. */
  readonly remedy?: string;
}): Plugin {
  return {
    name: plugin.name,
    async run(request) {
      const options = plugin.readOptions(splitParameter(request.parameter));
      try {
        const base = await plugin.readBase(options);
        const { types, wanted } = readFiles(request);
        const source = createSource();
        const complaints = createComplaints(source);
        const surroundings = { extensions: createExtensions(types), source, complaints };
        const file = Array.from(
          plugin.create(options, base, surroundings, wanted),
          ({ file: name, content }) => ({
            name,
            content: `${JSON.stringify(content, undefined, 2)}\n`,
          }),
        );
        const found = complaints.list();
        const warn = plugin.warn(options);
        if (found.length > 0 && warn === undefined) {
          throw new Refusal([...found, ...(plugin.remedy ? [plugin.remedy] : [])].join("\n"));
        }
        for (const complaint of found) warn?.(complaint);
        return { error: "", file };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { error: error.message, file: [] };
      }
    },
  };
}

type Files = { readonly types: Registry; readonly wanted: readonly DescFile[] };

/** Returns all types of the request, and the files to generate documents for. */
function readFiles(request: Request): Files {
  // Compilers may send these files twice, the second time with source-retention options.
  const sources = new Map(request.sourceFileDescriptors.map((file) => [file.name, file]));
  const file = request.protoFile.map((one) => sources.get(one.name) ?? one);
  const types = createFileRegistry(create(FileDescriptorSetSchema, { file }));
  const names = new Set(request.fileToGenerate);
  const wanted = [...types.files].filter(({ proto }) => names.delete(proto.name));
  const [missing] = names;
  if (missing !== undefined) throw new Error(`the request does not contain ${missing}`);
  return { types, wanted };
}
