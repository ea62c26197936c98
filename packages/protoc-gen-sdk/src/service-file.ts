import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type GeneratedFile, getComments, type Printable } from "@bufbuild/protoplugin";
import { commentText } from "./comments.ts";
import { unionOf } from "./errors-file.ts";
import { type Facet, facetOf } from "./facets.ts";
import { importMessage } from "./message-imports.ts";
import { docOf } from "./method-doc.ts";
import type { Reasons } from "./reasons.ts";

const runtime = "@settle/sdk-runtime";

/** Returns the property name of the service: `orders` for `OrdersService`. */
export function serviceKeyOf({ name }: DescService): string {
  const bare = name.replace(/Service$/, "");
  return bare.charAt(0).toLowerCase() + bare.slice(1);
}

/** Returns the type name of its facade: `Orders`. */
export function serviceTypeOf({ name }: DescService): string {
  return name.replace(/Service$/, "");
}

/** Returns the audience of a file: `ops` for the package `orders.ops.v1`, empty for customers. */
export function audienceOf({ proto }: DescFile): string {
  return proto.package.split(".").slice(1, -1).join("-");
}

/** Names the types of a method; the services of an audience have methods of the same name. */
function typesOf({ name, parent }: DescMethod): string {
  return audienceOf(parent.file) === "" ? name : `${serviceTypeOf(parent)}${name}`;
}

/**
 * Prints the facade of a service: a type with a method per RPC, and the function that creates it.
 */
export function printFacade(f: GeneratedFile, service: DescService, reasons: Reasons): void {
  f.preamble(service.file);
  const type = serviceTypeOf(service);
  const facets = service.methods.map(facetOf);
  for (const facet of facets) printTypes(f, facet, reasons);

  f.print(f.jsDoc(commentText(getComments(service))));
  f.print(`export type ${type} = {`);
  for (const [index, facet] of facets.entries()) {
    if (index > 0) f.print();
    printDeclaration(f, facet, docOf(facet, reasons));
  }
  f.print("};");
  f.print();

  const caller = f.import("Caller", runtime, true);
  const methods = f.import(service.name, `./messages/${service.file.name}_pb.js`);
  f.print(f.jsDoc(`Creates {@link ${type}}, which sends its calls with \`caller\`.`));
  f.print(`export function create${type}(caller: `, caller, `): ${type} {`);
  f.print("  const { method } = ", methods, ";");
  f.print("  return {");
  for (const facet of facets) printDefinition(f, facet);
  f.print("  };");
  f.print("}");
}

function printTypes(f: GeneratedFile, facet: Facet, reasons: Reasons): void {
  const { localName } = facet.method;
  const name = typesOf(facet.method);
  const common = f.import("CommonReason", "./errors.js", true);
  const own = reasons.of(facet.method);
  f.print(f.jsDoc(`The error reasons of \`${localName}\`.`));
  f.print`export type ${name}Reason =\n  | ${common}${own.length > 0 ? unionOf(own) : ""};`;
  f.print();
  if (facet.kind !== "watch") return;
  f.print(f.jsDoc(`A change that \`${localName}\` delivers.`));
  f.print`export type ${name}Change =`;
  const last = facet.changes.at(-1);
  for (const field of facet.changes) {
    const { localName: kind } = field;
    const message = importMessage(f, field.message);
    f.print`  | { readonly kind: "${kind}"; readonly ${kind}: ${message}; readonly revision: bigint }${field === last ? ";" : ""}`;
  }
  f.print();
}

function printDeclaration(f: GeneratedFile, facet: Facet, doc: string): void {
  const { localName, input, output, parent } = facet.method;
  const name = typesOf(facet.method);
  const init = f.import("MessageInitShape", "@bufbuild/protobuf", true);
  const schema = importMessage(f, input, "Schema");
  const answer = importMessage(f, output);
  const options = f.import(optionsOf(facet), runtime, true);
  const takes = (mode = "?: ", more = ""): Printable => {
    return ["(request: ", init, "<typeof ", schema, ">, options", mode, options, more, "): "];
  };
  f.print(f.jsDoc(doc, "  "));
  switch (facet.kind) {
    case "call":
      f.print`  ${localName}${takes()}Promise<${answer}>;`;
      break;
    case "pages": {
      const pages = f.import("Pages", runtime, true);
      f.print`  ${localName}${takes()}${pages}<${answer}>;`;
      f.print();
      const list = `{@link ${serviceTypeOf(parent)}.${localName}}`;
      f.print(
        f.jsDoc(`Iterates over all items of ${list}, and requests further pages as needed.`, "  "),
      );
      const item = importMessage(f, facet.items.message);
      f.print`  ${facet.allName}${takes()}AsyncIterableIterator<${item}>;`;
      break;
    }
    case "watch": {
      const watch = f.import("Watch", runtime, true);
      const beat = f.import("Heartbeat", runtime, true);
      const beating = takes(": ", " & { readonly heartbeats: true }");
      f.print`  ${localName}${beating}${watch}<${name}Change | ${beat}>;`;
      f.print`  ${localName}${takes()}${watch}<${name}Change>;`;
    }
  }
}

function printDefinition(f: GeneratedFile, facet: Facet): void {
  const { localName } = facet.method;
  const args = `(method.${localName}, request, options)`;
  switch (facet.kind) {
    case "call":
      f.print(`    ${localName}: (request, options) => caller.unary${args},`);
      break;
    case "pages":
      f.print(`    ${localName}: (request, options) => caller.pages${args},`);
      f.print(`    ${facet.allName}: (request, options) =>`);
      f.print`      ${f.import("itemsOf", runtime)}(caller.pages${args}, "${facet.items.localName}"),`;
      break;
    case "watch":
      f.print(`    ${localName}: (request, options) => caller.watch${args},`);
  }
}

function optionsOf({ kind, method, canWait }: Facet): string {
  if (kind === "watch") return "WatchOptions";
  const { IDEMPOTENCY_UNKNOWN } = MethodOptions_IdempotencyLevel;
  if (method.idempotency !== IDEMPOTENCY_UNKNOWN) return "CallOptions";
  return canWait ? "WaitOptions" : "WriteOptions";
}
