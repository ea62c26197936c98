/** How long a watch is shown before it ends. */
const watchMs = 3_000;
const keyBytes = 16;

/** Returns an idempotency key. Not by randomUUID, which pages at plain http do not have. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(keyBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Fetches a stream for some seconds, and responds with what has come: Swagger UI shows a response
 * only when it has ended.
 */
export async function watchBriefly(url, request) {
  const response = await fetch(url, { ...request });
  if (!response.ok || !response.body) return response;
  const reader = response.body.getReader();
  const timer = setTimeout(() => reader.cancel(), watchMs);
  const decoder = new TextDecoder();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
  }
  clearTimeout(timer);
  const note = `: The stream goes on. This page has shown ${watchMs / 1_000} seconds of it; curl -N shows all.\n`;
  const { status, headers } = response;
  return new Response(text + note, { status, headers });
}
