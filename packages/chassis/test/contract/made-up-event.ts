import assert from "node:assert/strict";
import { create, createFileRegistry, type DescMessage, setExtension } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MessageOptionsSchema } from "@bufbuild/protobuf/wkt";
import { RouteSchema, route } from "@settle/gen/topology/v1/route_pb";
import type { EventRoute } from "../../src/contract/routes.ts";

/** An event `test.v1.<name>` without fields, of which a contract says this. */
export function madeUpEvent(name: string, travels: Partial<EventRoute>): DescMessage {
  const options = create(MessageOptionsSchema);
  const { from = "", to = [], alsoTo = [] } = travels;
  setExtension(options, route, create(RouteSchema, { from, to: [...to], alsoTo: [...alsoTo] }));
  const file = create(FileDescriptorProtoSchema, {
    name: `test/v1/${name}.proto`,
    package: "test.v1",
    syntax: "proto3",
    messageType: [{ name, options }],
  });
  const registry = createFileRegistry(file, () => undefined);
  return registry.getMessage(`test.v1.${name}`) ?? assert.fail(name);
}
