import assert from "node:assert/strict";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { readEnvelopes, readServerSentEvents } from "../read-stream.ts";

/** A body that arrives in chunks of two bytes, none of which is a whole message. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = Array.from(
    { length: Math.ceil(bytes.length / 2) },
    (_, index) => new Uint8Array(bytes.subarray(2 * index, 2 * index + 2)),
  );
  return ReadableStream.from(pieces);
}

describe("the stream of a recorded call", () => {
  it("is read as server-sent events", async () => {
    const body = inPieces(Buffer.from('data: {"revision":"1"}\n\ndata: {"name":"\u00e9"}\n\n'));
    const messages = await Array.fromAsync(readServerSentEvents(body));
    assert.deepEqual(messages, [{ message: '{"revision":"1"}' }, { message: '{"name":"\u00e9"}' }]);
  });

  const text = (json: string) => new TextEncoder().encode(json);
  const first = encodeEnvelope(0, Uint8Array.of(8, 1));
  const empty = encodeEnvelope(0, Uint8Array.of());

  it("is read as envelopes, up to its end", async () => {
    const body = inPieces(Buffer.concat([first, empty, encodeEnvelope(2, text("{}"))]));
    const messages = await Array.fromAsync(readEnvelopes(body));
    assert.deepEqual(messages, [{ message: Uint8Array.of(8, 1) }, { message: Uint8Array.of() }]);
  });

  it("is read as envelopes, up to the error that ends it", async () => {
    const end = encodeEnvelope(2, text('{"error":{"code":"unavailable"}}'));
    const messages = await Array.fromAsync(readEnvelopes(inPieces(Buffer.concat([first, end]))));
    assert.deepEqual(messages, [{ message: Uint8Array.of(8, 1) }, { code: "unavailable" }]);
  });
});
