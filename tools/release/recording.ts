import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createFileRegistry,
  type FileRegistry,
  fromBinary,
  type JsonObject,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ConsumeMessage } from "amqplib";
import type { Step } from "./step.ts";

/** The response to a call. */
export type PlayedAnswer = {
  /** The HTTP status. */
  readonly status: number;
  /** The response headers that the contract describes; absent if there are none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The response or the error, as JSON; for a stream, its `messages`. */
  readonly body: JsonObject;
  /** Over Connect: the request and, unless it was an error, the response; in base64. */
  readonly bytes?: {
    readonly request: string;
    readonly answer?: string;
    readonly messages?: readonly string[];
  };
};

/** A call and its response. */
export type PlayedCall = Step & { readonly answer: PlayedAnswer };

/** A message as published on the broker. */
export type RecordedEvent = {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: {
    readonly type: string;
    readonly contentType: string;
    readonly messageId: string;
    readonly deliveryMode: number;
    readonly timestamp: number;
    readonly headers: JsonObject;
  };
  /** In base64. */
  readonly body: string;
};

/** Returns the recorded parts of a delivery. */
export function recordedEvent({ fields, properties, content }: ConsumeMessage): RecordedEvent {
  const { type, contentType, messageId, deliveryMode, timestamp, headers } = properties;
  return {
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    properties: { type, contentType, messageId, deliveryMode, timestamp, headers: { ...headers } },
    body: content.toString("base64"),
  };
}

/** The responses and events of a release when it was the current one. */
export type Recording = {
  readonly calls: readonly PlayedCall[];
  readonly events: readonly RecordedEvent[];
};

/**
 * Returns how many events the calls cause once everything has settled: two per order (created and
 * decided), two more if it is cancelled, and one per refund.
 */
export function countEvents(calls: readonly PlayedCall[]): number {
  const created = new Set<string>();
  const cancelled = new Set<string>();
  const refunds = new Set<string>();
  for (const { method, answer } of calls) {
    if (answer.status !== 200) continue;
    const { id, orderId, status, refundedAmount } = answer.body;
    if (method.endsWith("/CreateOrder")) created.add(String(id));
    if (status === "ORDER_STATUS_CANCELLED") cancelled.add(String(id));
    const { minorUnits = "0" } = (refundedAmount ?? {}) as JsonObject;
    if (minorUnits !== "0") refunds.add(`${id ?? orderId} ${minorUnits}`);
  }
  return 2 * created.size + 2 * cancelled.size + refunds.size;
}

/** Reads the recording and the types of a release from its folder. */
export function readRecording(folder: string): {
  readonly recording: Recording;
  readonly types: FileRegistry;
} {
  return {
    recording: JSON.parse(readFileSync(join(folder, "recording.json"), "utf8")),
    types: readTypes(join(folder, "image.binpb")),
  };
}

/** Reads the types of a contract from its image, independently of the current one. */
export function readTypes(image: string): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
}
