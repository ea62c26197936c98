import { createRequire } from "node:module";

// An import would also load the streams and promises of node:fs, which takes 8 ms at each start.
const { fstatSync, readSync, writeSync }: typeof import("node:fs") = createRequire(import.meta.url)(
  "node:fs",
);
const [stdin, stdout] = [0, 1];
/** Most requests are smaller. */
const firstBytes = 1 << 20;
/** All of Google's public protos are 84 MB. */
const maxBytes = 1 << 30;

/**
 * Whether stdin is a terminal or a device such as /dev/null, so that there is no request to read.
 */
export function isStdinIdle(): boolean {
  return fstatSync(stdin).isCharacterDevice();
}

/**
 * Reads stdin to its end, at most 1 GiB. Reads synchronously if possible, as with the pipes of
 * compilers: loading the streams of Node takes as long as reading a small set of protos.
 */
export async function readStdin(): Promise<Uint8Array> {
  let bytes = Buffer.allocUnsafeSlow(firstBytes);
  let length = 0;
  try {
    for (;;) {
      if (length >= maxBytes) throw new Error(`the request is larger than ${maxBytes} bytes`);
      if (length === bytes.length) bytes = Buffer.concat([bytes], 2 * length);
      const read = readSync(stdin, bytes, { offset: length });
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (!isBusy(error)) throw error;
    const chunks: Uint8Array[] = [bytes.subarray(0, length)];
    for await (const chunk of process.stdin) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** Writes to stdout; resolves when all bytes are written. */
export async function writeStdout(bytes: Uint8Array): Promise<void> {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(stdout, bytes, written);
  } catch (error) {
    if (!isBusy(error)) throw error;
    await new Promise<void>((resolve, reject) => {
      const rest = bytes.subarray(written);
      process.stdout.write(rest, (fault) => (fault ? reject(fault) : resolve()));
    });
  }
}

/** Whether a non-blocking stream has no data or no space at the moment. */
function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}
