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
import type { Step } from "./scenario.ts";

/** How a call was answered. */
export type PlayedAnswer = {
  /** The HTTP status. */
  readonly status: number;
  /** The answer or the error, as JSON. */
  readonly body: JsonObject;
  /** By Connect: what was sent and, unless that was an error, what came back; in base64. */
  readonly bytes?: { readonly request: string; readonly answer?: string };
};

/** A message as it was on the broker. */
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

/** Keeps of a delivery what is recorded. */
export function recordedEvent({ fields, properties, content }: ConsumeMessage): RecordedEvent {
  const { type, contentType, messageId, deliveryMode, timestamp, headers } = properties;
  return {
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    properties: { type, contentType, messageId, deliveryMode, timestamp, headers: { ...headers } },
    body: content.toString("base64"),
  };
}

/** What a release answered and wrote when it was the present one. */
export type Recording = {
  readonly calls: readonly (Step & { readonly answer: PlayedAnswer })[];
  readonly events: readonly RecordedEvent[];
};

/** Reads the recording of a release, and its types, from its folder. */
export function readRecording(folder: string): {
  readonly recording: Recording;
  readonly types: FileRegistry;
} {
  return {
    recording: JSON.parse(readFileSync(join(folder, "recording.json"), "utf8")),
    types: readTypes(join(folder, "image.binpb")),
  };
}

/** Reads the types of a contract, whatever the present one is. */
export function readTypes(image: string): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
}
