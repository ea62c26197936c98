import type { DescFile, DescService } from "@bufbuild/protobuf";
import { type JsonObject, sortKeys, withoutEmpty } from "@settle/proto-schemas/json/json-schema";
import type { Document } from "@settle/proto-schemas/plugin/document-plugin";
import { Refusal } from "@settle/proto-schemas/protos/complaints";
import { refuseUnknownOption } from "@settle/proto-schemas/protos/extensions";
import { createComponents } from "@settle/proto-schemas/schemas/components";
import type { Context } from "./context.ts";
import { statusName, statusSchema } from "./errors.ts";
import { headerComponents } from "./headers.ts";
import { type Binding, httpMethods, readBindings } from "./http-rules.ts";
import { nameServices, nameValues } from "./naming.ts";
import { operation } from "./operations.ts";
import { pathValues } from "./path-parameters.ts";
import { writePath } from "./path-template.ts";

/**
 * Generates a document for each package of `files` with methods that have HTTP rules, and a merged
 * document if the options name one. Yields one at a time, because they may be large. The output is
 * deterministic.
 */
export function* createDocuments(
  context: Context,
  files: readonly DescFile[],
): Generator<Document, void> {
  const packages = new Map<string, Map<DescService, readonly Binding[]>>();
  for (const file of files) {
    for (const service of file.services) {
      const bindings = service.methods.flatMap((method) => readBindings(context, method));
      if (bindings.length === 0) continue;
      const name = file.proto.package || "unnamed";
      const services = packages.get(name) ?? new Map<DescService, readonly Binding[]>();
      packages.set(name, services.set(service, bindings));
    }
  }
  if (packages.size > 0) refuseUnknownOptions(context);
  const { title } = context.base.info;
  const { merged } = context.options;
  if (merged !== undefined && packages.has(merged)) {
    throw new Refusal(`option merged=${merged} is the name of a package; choose another name`);
  }
  for (const [name, services] of packages) {
    const content = createDocument(context, `${title}: ${name}`, services);
    yield { file: `${name}.json`, content };
  }
  if (merged === undefined || packages.size === 0) return;
  const all = new Map([...packages.values()].flatMap((services) => [...services]));
  yield { file: `${merged}.json`, content: createDocument(context, title, all) };
}

/** Throws if the base file names a method option that does not exist: the documents would lack it. */
function refuseUnknownOptions({ base, extensions, options }: Context): void {
  for (const key of ["access", "errors"] as const) {
    const name = base[key]?.extension;
    if (name === undefined) continue;
    const where = `${options.base}: ${key}.extension`;
    refuseUnknownOption(extensions.types, { name, of: "method", where });
  }
}

type PathItem = {
  readonly path: string;
  readonly valueNames: readonly string[];
  readonly operations: Map<string, JsonObject>;
};

function createDocument(
  context: Context,
  title: string,
  services: ReadonlyMap<DescService, readonly Binding[]>,
): JsonObject {
  const names = nameServices([...services.keys()]);
  const components = createComponents(context);
  const items = new Map<string, PathItem>();
  const rivals = findRivals([...services.values()].flat());
  for (const [service, bindings] of services) {
    for (const binding of bindings) {
      const item = findItem(items, binding);
      const [first, ...others] = rivals.get(shapeOf(binding)) ?? [];
      if (first !== binding) {
        context.complaints.add(
          binding.method,
          `${binding.httpMethod.toUpperCase()} ${item.path} of ${binding.method.name} has the same path as ${first?.method.name}: Envoy calls neither; change one path`,
        );
      }
      if (others.length > 0) continue;
      const { refer } = components;
      const name = names.get(service) ?? service.name;
      const content = operation(context, binding, name, item.valueNames, refer);
      item.operations.set(binding.httpMethod, content);
    }
  }
  const methods = [...services.values()].flat().map(({ method }) => method);
  const paths = writePaths([...items.values()]);
  const status = statusSchema(context, components.refer);
  const { schemas, resolve } = components.finish();
  return {
    openapi: "3.1.0",
    info: { ...context.base.info, title },
    servers: context.base.servers ?? [{ url: "/" }],
    tags: [...services.keys()].map((service) => ({
      name: names.get(service) ?? service.name,
      description: context.source.comment(service).text || undefined,
    })),
    paths: resolve(paths),
    components: withoutEmpty({
      schemas: sortKeys({ ...schemas, [statusName]: resolve(status) }),
      ...headerComponents(context.base, methods),
      securitySchemes: context.base.securitySchemes,
    }),
  };
}

/**
 * Groups the bindings by HTTP method and path. If a group has several, Envoy calls none of them.
 */
function findRivals(bindings: readonly Binding[]): ReadonlyMap<string, readonly Binding[]> {
  // Node 20 does not have Map.groupBy.
  const groups = new Map<string, Binding[]>();
  for (const binding of bindings) {
    const shape = shapeOf(binding);
    const group = groups.get(shape);
    if (group) group.push(binding);
    else groups.set(shape, [binding]);
  }
  return groups;
}

function shapeOf({ httpMethod, path }: Binding): string {
  return `${httpMethod} ${writePath(path, () => "")}`;
}

/**
 * Returns the path item of a binding. In OpenAPI, paths that differ only in the names of their
 * parameters are the same path; the first one determines the names.
 */
function findItem(items: Map<string, PathItem>, binding: Binding): PathItem {
  const shape = writePath(binding.path, () => "");
  const known = items.get(shape);
  if (known) return known;
  const valueNames = nameValues(
    pathValues(binding).map(({ pattern, after }, index) => ({
      jsonName: (binding.pathFields[index] ?? []).map(({ jsonName }) => jsonName).join("."),
      pattern,
      after,
    })),
  );
  const path = writePath(binding.path, (index) => valueNames[index] ?? "");
  const item = { path, valueNames, operations: new Map() };
  items.set(shape, item);
  return item;
}

function writePaths(items: readonly PathItem[]): JsonObject {
  return sortKeys(
    Object.fromEntries(
      items
        .filter(({ operations }) => operations.size > 0)
        .map(({ path, operations }) => [
          path,
          Object.fromEntries(
            httpMethods.flatMap((name) => {
              const found = operations.get(name);
              return found ? [[name, found]] : [];
            }),
          ),
        ]),
    ),
  );
}
