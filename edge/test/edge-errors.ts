import assert from "node:assert/strict";
import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import type { Answer } from "./lab.ts";

/** Fails unless this is the documented JSON of an error of the edge itself. */
export function assertEdgeError(
  answer: Answer,
  expected: { status: number; code: number; reason: string; message: string | RegExp },
): void {
  assert.equal(answer.status, expected.status, answer.body);
  assert.equal(answer.headers["content-type"], "application/json");
  assert.match(answer.headers["x-request-id"] as string, /^[0-9a-f-]{36}$/);
  const { message, ...rest } = answer.json() as { message: string };
  assert.deepEqual(rest, {
    code: expected.code,
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: expected.reason,
        domain: "edge.settle",
        metadata: {},
      },
    ],
  });
  if (typeof expected.message === "string") assert.equal(message, expected.message);
  else assert.match(message, expected.message);
}

/** Fails unless this is an error of the edge itself, as a gRPC, gRPC-Web or Connect client reads it. */
export function assertEdgeFailure(
  error: ConnectError,
  expected: { code: Code; reason: string; message: string },
): void {
  assert.equal(
    `${Code[error.code]}: ${error.rawMessage}`,
    `${Code[expected.code]}: ${expected.message}`,
  );
  const details = error
    .findDetails(ErrorInfoSchema)
    .map(({ reason, domain }) => ({ reason, domain }));
  assert.deepEqual(details, [{ reason: expected.reason, domain: "edge.settle" }]);
  assert.match(error.metadata.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
}
