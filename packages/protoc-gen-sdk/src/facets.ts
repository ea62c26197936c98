import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

const streamEnd = "errors.v1.StreamEnd";
const endName = "end";
const heartbeatName = "heartbeat";

type MessageField = DescField & { readonly message: DescMessage };

/** How an SDK offers a method. */
export type Facet = {
  readonly method: DescMethod;
  /** Whether its comment offers `Prefer: wait`. */
  readonly canWait: boolean;
} & (
  | { readonly kind: "call" }
  /** `items` is the one list in the answer, `allName` the method that brings them all. */
  | { readonly kind: "pages"; readonly items: MessageField; readonly allName: string }
  /** `changes` are the events that are neither the end nor a heartbeat. */
  | { readonly kind: "watch"; readonly changes: readonly MessageField[] }
);

/**
 * Decides how a method is offered: as pages if it takes a `page_token` and answers with a
 * `next_page_token` and one list of messages; as a watch if it streams answers with a `revision` and
 * a oneof `event`, from `after_revision` on; else as a call. Throws for any other stream.
 */
export function facetOf(method: DescMethod): Facet {
  const canWait = (getComments(method).leading ?? "").includes("`Prefer: wait=");
  const common = { method, canWait };
  if (method.methodKind === "server_streaming") {
    return { ...common, kind: "watch", changes: changesOf(method) };
  }
  if (method.methodKind !== "unary") throw new Error(`${method.name} streams from the client`);
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
      `${name} cannot be resumed: a stream goes from after_revision on, and its answers have a ` +
        `revision and a oneof event with an end of the type ${streamEnd}`,
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
