import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

const streamEnd = "errors.v1.StreamEnd";
const endName = "end";
const heartbeatName = "heartbeat";

type MessageField = DescField & { readonly message: DescMessage };

/** The form of a method in the SDK. */
export type Facet = {
  readonly method: DescMethod;
  /** Whether its comment mentions `Prefer: wait`. */
  readonly canWait: boolean;
} & (
  | { readonly kind: "call" }
  /** `items` is the list in the response; `allName` is the method that iterates over all items. */
  | { readonly kind: "pages"; readonly items: MessageField; readonly allName: string }
  /** `changes` are the events except the end and heartbeats. */
  | { readonly kind: "watch"; readonly changes: readonly MessageField[] }
);

/**
 * Returns the form of a method. Pages: the request has a `page_token`, the response a
 * `next_page_token` and one list of messages. Watch: the request has an `after_revision`, the
 * streamed responses a `revision` and a oneof `event`. Otherwise a call. Throws for other streams.
 */
export function facetOf(method: DescMethod): Facet {
  const canWait = (getComments(method).leading ?? "").includes("`Prefer: wait=");
  const common = { method, canWait };
  if (method.methodKind === "server_streaming") {
    return { ...common, kind: "watch", changes: changesOf(method) };
  }
  if (method.methodKind !== "unary")
    throw new Error(`${method.name} streams from the client, which the SDK does not support`);
  const isPaged =
    isScalar(method.input, "page_token", ScalarType.STRING) &&
    isScalar(method.output, "next_page_token", ScalarType.STRING);
  const lists = method.output.fields.filter(
    (field) => field.fieldKind === "list" && field.message !== undefined,
  );
  const [items] = lists as MessageField[];
  if (!isPaged || !items || lists.length > 1) return { ...common, kind: "call" };
  return { ...common, kind: "pages", items, allName: `all${method.name.replace(/^List/, "")}` };
}

function changesOf({ name, input, output }: DescMethod): readonly MessageField[] {
  const events = output.oneofs.find((oneof) => oneof.localName === "event")?.fields ?? [];
  const resumes =
    isScalar(input, "after_revision", ScalarType.INT64) &&
    isScalar(output, "revision", ScalarType.INT64);
  const isEnd = ({ message }: DescField) => message?.typeName === streamEnd;
  if (!resumes || !events.some((event) => isEnd(event) && event.localName === endName)) {
    throw new Error(
      `${name} cannot be resumed: its request needs int64 after_revision, and its response needs ` +
        `int64 revision and a oneof event with a field end of type ${streamEnd}`,
    );
  }
  return events.filter(
    (event): event is typeof event & MessageField =>
      event.message !== undefined && !isEnd(event) && event.localName !== heartbeatName,
  );
}

function isScalar({ fields }: DescMessage, name: string, type: ScalarType): boolean {
  return fields.some(
    (field) => field.name === name && field.fieldKind === "scalar" && field.scalar === type,
  );
}
