import { randomBytes } from "node:crypto";
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** How often the file may be replaced while it is read. */
const maxReads = 10;

const signingKey = z.object({
  kid: z.string().min(1),
  madeAtMs: z.number().describe("milliseconds since 1970"),
  privateJwk: z.object({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: z.string(),
    y: z.string(),
    d: z.string(),
  }),
});
const contents = z.object({ current: signingKey, previous: signingKey.optional() });

/** A private key with its key id. */
export type SigningKey = Readonly<z.output<typeof signingKey>>;

/** The signing key and, after a rotation, the previous one. */
export type KeySet = {
  /** Increases by one with each rotation. */
  readonly generation: number;
  readonly current: SigningKey;
  readonly previous?: SigningKey | undefined;
};

/**
 * Reads the keys from the file `keys-<generation>.json` in `folder`; undefined if there are none.
 * Throws if the file is invalid.
 */
export function readKeySet(folder: string): KeySet | undefined {
  for (let reads = 0; reads < maxReads; reads += 1) {
    const generation = Math.max(0, ...generationsIn(folder));
    if (generation === 0) return undefined;
    const file = fileOf(folder, generation);
    try {
      return { generation, ...contents.parse(JSON.parse(readFileSync(file, "utf8"))) };
    } catch (error) {
      // Another process has replaced it with the next generation.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw new Error(`${file} contains no valid keys: delete it to create new ones`, {
        cause: error,
      });
    }
  }
  throw new Error(`the keys in ${folder} are being replaced faster than they can be read`);
}

/**
 * Stores `keys` in `folder` atomically, readable by this user only (mode 0600), and removes older
 * generations. Does nothing if another process has already stored this generation: after reading
 * again, all processes have the same keys.
 */
export function offerKeySet(folder: string, { generation, current, previous }: KeySet): void {
  const file = fileOf(folder, generation);
  const own = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  writeFileSync(own, JSON.stringify({ current, previous }), { mode: 0o600, flush: true });
  try {
    // Fails if another process was faster, unlike a write or a rename.
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(own, { force: true });
  }
  for (const older of generationsIn(folder)) {
    if (older < generation) rmSync(fileOf(folder, older), { force: true });
  }
}

function fileOf(folder: string, generation: number): string {
  return join(folder, `keys-${generation}.json`);
}

function generationsIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const [, generation] = /^keys-([1-9]\d{0,8})\.json$/.exec(name) ?? [];
    return generation === undefined ? [] : [Number(generation)];
  });
}
