import { type DescMessage, fromBinary, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { ServiceError } from "@grpc/grpc-js";
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import type { Refusal } from "./call.ts";

/** No response, or an unreadable one: the call may or may not have taken effect. */
export function lost(error: unknown): Refusal {
  return refusal(Code.Unknown, `no answer: ${error}`, undefined, undefined);
}

function refusal(
  code: number,
  message: string,
  info: ErrorInfo | undefined,
  bad: BadRequest | undefined,
): Refusal {
  const fields = bad?.fieldViolations.map(({ field }) => field) ?? [];
  return { ok: false, code, reason: info?.reason ?? "", message, fields };
}

/** Reads the refusal that connect-es throws. */
export function connectErrorRefusal(error: ConnectError): Refusal {
  const [info] = error.findDetails(ErrorInfoSchema);
  const [bad] = error.findDetails(BadRequestSchema);
  return refusal(error.code, error.rawMessage, info, bad);
}

/** Reads the refusal in the body of a REST response. */
export function restRefusal(body: {
  code: number;
  message: string;
  details: JsonObject[];
}): Refusal {
  const detail = <Schema extends DescMessage>(schema: Schema) => {
    const found = body.details.find(
      (one) => one["@type"] === `type.googleapis.com/${schema.typeName}`,
    );
    if (!found) return undefined;
    const { "@type": _, ...json } = found;
    return fromJson(schema, json);
  };
  return refusal(body.code, body.message, detail(ErrorInfoSchema), detail(BadRequestSchema));
}

/** Reads the refusal in the body of a Connect response, or in the output of `buf curl`. */
export function connectRefusal(body: {
  code: string;
  message: string;
  details?: { type: string; value: string }[];
}): Refusal {
  const detail = <Schema extends DescMessage>(schema: Schema) => {
    const found = body.details?.find(({ type }) => type.endsWith(schema.typeName));
    return found && fromBinary(schema, Buffer.from(found.value, "base64"));
  };
  const name = body.code.replaceAll(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
  const code = Code[name as keyof typeof Code];
  return refusal(code, body.message, detail(ErrorInfoSchema), detail(BadRequestSchema));
}

/** Reads the refusal that grpc-js ends a call with. */
export function grpcRefusal({ code, details, metadata }: ServiceError): Refusal {
  const [bytes] = metadata.get("grpc-status-details-bin");
  const packed = bytes instanceof Buffer ? fromBinary(StatusSchema, bytes).details : [];
  const detail = <Schema extends DescMessage>(schema: Schema) =>
    packed.map((any) => anyUnpack(any, schema)).find((message) => message !== undefined);
  return refusal(code, details, detail(ErrorInfoSchema), detail(BadRequestSchema));
}
