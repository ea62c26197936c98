import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@settle/proto-schemas/json/json-schema";
import type { Base, Header } from "./base.ts";

/** Returns the request headers of `method`, as references. */
export function headerParameters(base: Base, method: DescMethod): readonly JsonObject[] {
  return base.requestHeaders
    .filter((header) => isFor(header, method))
    .map(({ name }) => ({ $ref: `#/components/parameters/${name}` }));
}

/** Returns the headers of responses of `method` with the status `status`, as references. */
export function responseHeaders(base: Base, method: DescMethod, status: string): JsonObject {
  return Object.fromEntries(
    base.responseHeaders
      .filter(
        ({ statuses, ...header }) =>
          isFor(header, method) &&
          (statuses === undefined ||
            statuses.some((wanted) => wanted === status || wanted === `${status[0]}XX`)),
      )
      .map(({ name }) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

/** Returns the components that these references point to, for a document with `methods`. */
export function headerComponents(
  base: Base,
  methods: readonly DescMethod[],
): { readonly parameters: JsonObject; readonly headers: JsonObject } {
  const isUsed = (header: Pick<Header, "methods">) =>
    methods.some((method) => isFor(header, method));
  return {
    parameters: Object.fromEntries(
      base.requestHeaders
        .filter(isUsed)
        .map(({ name, description, schema }) => [
          name,
          { name, in: "header", description: description.trim(), schema },
        ]),
    ),
    headers: Object.fromEntries(
      base.responseHeaders
        .filter(isUsed)
        .map(({ name, description, schema }) => [
          name,
          { description: description.trim(), schema },
        ]),
    ),
  };
}

function isFor({ methods }: Pick<Header, "methods">, method: DescMethod): boolean {
  if (methods === "all") return true;
  if (methods === "mutations") return method.idempotency !== IdempotencyLevel.NO_SIDE_EFFECTS;
  return methods.includes(`${method.parent.typeName}.${method.name}`);
}
