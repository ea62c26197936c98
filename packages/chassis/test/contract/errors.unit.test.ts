import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { BadRequestSchema, ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import { errorInfoOf, refuse, refuseFields, statusBytesOf } from "../../src/contract/errors.ts";

describe("refuse", () => {
  const error = refuse(Code.InvalidArgument, ErrorReason.VALIDATION_FAILED, "amount: too small", {
    metadata: { limit: "1" },
    violations: [{ field: "amount", description: "too small" }],
  });

  it("carries the reason as the bare word of its enum", () => {
    assert.equal(errorInfoOf(error)?.reason, "VALIDATION_FAILED");
    assert.equal(errorInfoOf(refuse(Code.Aborted, 999 as ErrorReason, ""))?.reason, "UNSPECIFIED");
    assert.equal(errorInfoOf(new ConnectError("foreign", Code.NotFound)), undefined);
    assert.equal(errorInfoOf(new Error("foreign")), undefined);
  });

  it("of fields names ten of them, each cut", () => {
    const fields = Array.from({ length: 12 }, (_, at) => ({
      field: `f${at}${"x".repeat(300)}`,
      description: "is wrong",
    }));
    const shown = refuseFields(fields).findDetails(BadRequestSchema)[0]?.fieldViolations ?? [];
    assert.equal(shown.length, 10);
    assert.equal(shown[9]?.field, `f9${"x".repeat(198)}`);
  });

  it("is shown to gRPC callers as a google.rpc.Status", () => {
    const status = fromBinary(StatusSchema, statusBytesOf(error));
    assert.equal(status.code, 3);
    assert.equal(status.message, "amount: too small");
    const [info] = status.details;
    assert.equal(info && anyUnpack(info, ErrorInfoSchema)?.metadata.limit, "1");
  });

  it("cuts a message, and leaves no half character", () => {
    const { rawMessage } = refuse(
      Code.Aborted,
      ErrorReason.INTERNAL,
      `${"x".repeat(499)}\u{1F600}`,
    );
    assert.equal(rawMessage, `${"x".repeat(499)}\uFFFD`);
  });
});
