import { create, createFileRegistry, type DescMethod } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createExtensions } from "@settle/proto-schemas/protos/extensions";
import { createSource } from "@settle/proto-schemas/protos/source";
import { readBase } from "../../../packages/protoc-gen-openapi/src/base.ts";
import type { Context } from "../../../packages/protoc-gen-openapi/src/context.ts";
import { type Binding, readBindings } from "../../../packages/protoc-gen-openapi/src/http-rules.ts";
import { readOptions } from "../../../packages/protoc-gen-openapi/src/options.ts";
import { writePath } from "../../../packages/protoc-gen-openapi/src/path-template.ts";
import { createPlugin } from "../../../packages/protoc-gen-openapi/src/plugin.ts";
import { type FactsByOperation, readFacts } from "./facts.ts";
import type { Protos } from "./protos.ts";

/** Runs our plugin on the protos, with options that make both generators comparable. */
export async function askOurs(protos: Protos): Promise<FactsByOperation> {
  const { file, error } = await createPlugin({ warn: () => {} }).run(
    create(CodeGeneratorRequestSchema, {
      parameter: "unsupported=warn,streams=ndjson",
      protoFile: [...protos.files],
      fileToGenerate: [...protos.chosen],
    }),
  );
  if (error) throw new Error(error);
  return readFacts(
    file.map(({ name, content }) => ({ package: name.replace(/\.json$/, ""), content })),
  );
}

/** The facts of the protos themselves, which explain differences. */
export type Contract = {
  readonly context: Context;
  /** The bindings of an operation; more than one if methods share a path. */
  readonly bindings: ReadonlyMap<string, readonly Binding[]>;
  /** Why a binding of a method is refused, by `<package> <service>_<method>`. */
  readonly faults: ReadonlyMap<string, string>;
};

/** Reads the HTTP rules of the protos. */
export function readContract(protos: Protos): Contract {
  const set = create(FileDescriptorSetSchema, { file: [...protos.files] });
  const types = createFileRegistry(set);
  const faults = new Map<string, string>();
  const add = (method: DescMethod, text: string) =>
    faults.set(`${method.parent.file.proto.package} ${method.parent.name}_${method.name}`, text);
  const context: Context = {
    options: readOptions([]),
    defaults: "omitted",
    int64: "string",
    base: readBase(undefined),
    extensions: createExtensions(types),
    source: createSource(),
    complaints: { add: (desc, text) => desc.kind === "rpc" && add(desc, text), list: () => [] },
  };
  const bindings = new Map<string, Binding[]>();
  for (const file of types.files) {
    for (const method of file.services.flatMap(({ methods }) => methods)) {
      for (const binding of readBindings(context, method)) {
        const path = writePath(binding.path, () => "");
        const key = `${file.proto.package} ${binding.httpMethod.toUpperCase()} ${path}`;
        bindings.set(key, [...(bindings.get(key) ?? []), binding]);
      }
    }
  }
  return { context, bindings, faults };
}

/**
 * Returns the methods (`<package>.<service>.<method>`) for which grpc-gateway refuses their whole
 * set: client streams with a field in a path.
 */
export function findStreamsWithPaths({ bindings }: Contract): ReadonlySet<string> {
  const found = [...bindings.values()]
    .flat()
    .filter(({ method, saidByPath }) => isClientStream(method) && saidByPath.length > 0);
  return new Set(found.map(({ method }) => fullName(method)));
}

/** Whether the caller sends many messages. */
export function isClientStream({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

/** Returns `<package>.<service>.<method>`. */
export function fullName({ parent, name }: DescMethod): string {
  return `${parent.typeName}.${name}`;
}
