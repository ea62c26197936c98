import { createEnvelopeReadableStream } from "@connectrpc/connect/protocol";

/** The flag of the last envelope of a Connect stream, which contains its status, not a message. */
const endFlag = 2;

/** An item of a stream: a message, or the code of the error that ends it. */
export type Streamed<Message> = { readonly message: Message } | { readonly code: string };

/** Yields the data of the server-sent events of a response, up to its end. */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Streamed<string>> {
  let received = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const events = (received + chunk).split("\n\n");
    received = events.pop() ?? "";
    for (const event of events) yield { message: event.replace(/^data: /, "") };
  }
}

/** Yields the messages of a Connect response, up to its end. */
export async function* readEnvelopes(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Streamed<Uint8Array>> {
  for await (const { flags, data } of createEnvelopeReadableStream(body)) {
    if (flags !== endFlag) {
      yield { message: data };
      continue;
    }
    const { error } = JSON.parse(new TextDecoder().decode(data)) as { error?: { code: string } };
    if (error) yield { code: error.code };
  }
}
