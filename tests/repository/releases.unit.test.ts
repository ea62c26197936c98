import assert from "node:assert/strict";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type DescMessage,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { decodeEvent, EventRefusedError } from "@settle/sdk";
import { readRecording, readTypes } from "../../tools/release/recording.ts";
import { releases } from "../../tools/release/releases.ts";
import { findLosses } from "../../tools/release/same-facts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const today = readTypes(`${root}/gen/envoy/descriptors.binpb`);

/** Decodes the bytes with these types. */
function read(types: FileRegistry, { typeName }: DescMessage, bytes: string): JsonValue {
  const schema = types.getMessage(typeName);
  assert.ok(schema, `the types contain ${typeName}`);
  return toJson(schema, fromBinary(schema, Buffer.from(bytes, "base64")), {
    registry: types,
    alwaysEmitImplicit: true,
  });
}

for (const folder of releases(root)) {
  const { recording, types } = readRecording(folder);

  describe(`messages of the release ${basename(folder)}`, () => {
    const stored = recording.calls.flatMap(({ method, answer: { bytes } }) => {
      const [service = "", name] = method.split("/");
      const found = types.getService(service)?.methods.find((m) => m.name === name);
      assert.ok(found);
      if (!bytes) return [];
      return [
        { schema: found.input, bytes: bytes.request },
        ...[bytes.answer ?? [], bytes.messages ?? []].flat().map((answer) => {
          return { schema: found.output, bytes: answer };
        }),
      ];
    });
    const events = recording.events.map(({ properties, body }) => {
      const schema = types.getMessage(properties.type);
      assert.ok(schema);
      return { schema, bytes: body };
    });

    it("have the same meaning today", () => {
      assert.ok(stored.length >= 50 && events.length >= 24);
      for (const { schema, bytes } of [...stored, ...events]) {
        const said = read(types, schema, bytes);
        assert.deepEqual(findLosses(said, read(today, schema, bytes)), [], schema.typeName);
      }
    });

    it("have the same meaning in that release if written by today's code", () => {
      for (const { schema, bytes } of [...stored, ...events]) {
        const present = today.getMessage(schema.typeName);
        assert.ok(present);
        const json = read(today, schema, bytes);
        const written = toBinary(present, fromJson(present, json, { registry: today }));
        const said = read(types, schema, Buffer.from(written).toString("base64"));
        assert.deepEqual(findLosses(read(types, schema, bytes), said), []);
      }
    });

    it("are decoded by the SDK if they are events", () => {
      for (const { properties, body } of recording.events) {
        const content = Buffer.from(body, "base64");
        const { id, event } = decodeEvent({ content, properties });
        assert.equal(id, properties.messageId);
        assert.equal(event.$typeName, properties.type);
      }
    });

    it("are decoded by the SDK with additions of a later release, except events of other types", () => {
      for (const { properties, body } of recording.events) {
        const content = Buffer.concat([Buffer.from(body, "base64"), Buffer.from([0xf8, 0x07, 1])]);
        assert.equal(decodeEvent({ content, properties }).event.$unknown?.length, 1);
        assert.throws(
          () => decodeEvent({ content, properties: { ...properties, type: "events.v1.NewEvent" } }),
          (error) => error instanceof EventRefusedError && error.why === "unknown-type",
        );
      }
    });
  });
}
