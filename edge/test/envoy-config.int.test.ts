import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { composeEdge, renderEdge } from "../render.ts";
import { descriptorsPath, envoyBinary } from "./lab.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Rejects with Envoy's words if it does not accept the file as its configuration. */
async function validate(file: string): Promise<void> {
  await promisify(execFile)(envoyBinary(), ["--mode", "validate", "-c", file], { cwd: root });
}

describe("the edge's configuration", () => {
  it("is accepted by Envoy as it is, from the project's root", async () => {
    await validate("edge/envoy.yaml");
  });

  it("is accepted by Envoy as rendered for compose", async () => {
    const folder = await mkdtemp(join(tmpdir(), "settle-edge-"));
    try {
      const file = join(folder, "envoy.yaml");
      await writeFile(file, renderEdge({ ...composeEdge, descriptorsPath }));
      await validate(file);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
