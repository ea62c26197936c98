import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ErrorInfo, ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import { parseDocument } from "yaml";
import { readEdge } from "../render.ts";

type Replies = Readonly<Record<string, string>>;

const unauthenticatedCode = 16;

/** Returns the values of a table of replies, by their condition; the last is for all other codes. */
function valuesOf(table: string | undefined): ReadonlyMap<string, string> {
  const inside = /^%(?:TYPED_)?CEL\((.*)\)%$/.exec(table ?? "")?.[1];
  assert.ok(inside, `not a table: ${table}`);
  return new Map(
    inside.split(" : ").map((branch) => {
      const [condition = "", value] = branch.split(" ? ").map((part) => part.trim());
      return (value === undefined ? ["", condition] : [condition, value]).map((part) =>
        part.replaceAll("'", ""),
      ) as [string, string];
    }),
  );
}

function assertInfo(
  { reason, domain }: ErrorInfo | undefined = fromBinary(ErrorInfoSchema, new Uint8Array()),
  expected: string | undefined,
): void {
  assert.deepEqual({ reason, domain }, { reason: expected, domain: "edge.settle" });
}

function assertStatus(
  bytes: string,
  code: number,
  message: string | undefined,
  reason: string | undefined,
): void {
  const status = fromBinary(StatusSchema, Buffer.from(bytes, "base64"));
  assert.deepEqual([status.code, status.message], [code, message]);
  assert.equal(status.details.length, 1);
  const [detail] = status.details;
  assertInfo(detail && anyUnpack(detail, ErrorInfoSchema), reason);
}

function assertEnd(envelope: string, error: object): void {
  const [, json = ""] = /^\\x02\\x00\\x00\\x01\\x00(.*)$/.exec(envelope) ?? [];
  assert.equal(Buffer.byteLength(json), 0x0100);
  assert.deepEqual(JSON.parse(json), { error });
}

describe("the replies of the edge", () => {
  const { replies } = parseDocument(readEdge()).toJS() as { readonly replies: Replies };
  const tables = Object.fromEntries(
    [
      "words",
      "reason",
      "code",
      "grpcStatus",
      "grpcDetails",
      "connectCode",
      "connectInfo",
      "connectEnd",
    ].map((name) => [name, valuesOf(replies[name])]),
  );
  const { words, reason, grpcStatus, grpcDetails, connectCode, connectInfo, connectEnd } = tables;

  it("have the same conditions in each table", () => {
    for (const [name, table] of Object.entries(tables)) {
      assert.deepEqual([...table.keys()], [...(words?.keys() ?? [])], name);
    }
    assert.equal(words?.size, 8);
  });

  it("have details in bytes that match their codes, words and reasons", () => {
    assert.ok(grpcDetails && connectInfo);
    for (const [condition, bytes] of grpcDetails) {
      const code = Number(grpcStatus?.get(condition));
      assertStatus(bytes, code, words?.get(condition), reason?.get(condition));
    }
    for (const [condition, bytes] of connectInfo) {
      const info = fromBinary(ErrorInfoSchema, Buffer.from(bytes, "base64"));
      assertInfo(info, reason?.get(condition));
    }
  });

  it("have a last message for a stream by Connect that matches, and the length that it says", () => {
    assert.ok(connectEnd);
    for (const [condition, envelope] of connectEnd) {
      assertEnd(envelope, {
        code: connectCode?.get(condition),
        message: words?.get(condition),
        details: [{ type: "google.rpc.ErrorInfo", value: connectInfo?.get(condition) }],
      });
    }
    const { unauthenticated, unauthenticatedConnectInfo, unauthenticatedConnectEnd } = replies;
    assertEnd(valuesOf(unauthenticatedConnectEnd).get("") ?? "", {
      code: "unauthenticated",
      message: unauthenticated,
      details: [{ type: "google.rpc.ErrorInfo", value: unauthenticatedConnectInfo }],
    });
  });

  it("have such details for a request without a valid token", () => {
    const { unauthenticated, unauthenticatedGrpcDetails = "" } = replies;
    assertStatus(
      unauthenticatedGrpcDetails,
      unauthenticatedCode,
      unauthenticated,
      "UNAUTHENTICATED",
    );
    const bytes = Buffer.from(replies.unauthenticatedConnectInfo ?? "", "base64");
    assertInfo(fromBinary(ErrorInfoSchema, bytes), "UNAUTHENTICATED");
  });
});
