import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { composeEdge, renderEdge } from "../render.ts";
import { connectionCapPath, descriptorsPath, envoyBinary, restGuardPath } from "./lab.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const generated = { descriptorsPath, restGuardPath, connectionCapPath };

/** Rejects with Envoy's message if it does not accept the file as its configuration. */
async function validate(file: string): Promise<void> {
  await promisify(execFile)(envoyBinary(), ["--mode", "validate", "-c", file], { cwd: root });
}

describe("the edge's configuration", () => {
  it("is accepted by Envoy as it is, from the project's root", async () => {
    await validate("edge/envoy.yaml");
  });

  it("is accepted by Envoy as rendered for compose", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "envoy.yaml");
      await writeFile(file, renderEdge({ ...composeEdge, ...generated }));
      await validate(file);
    });
  });

  it("is accepted by Envoy with an issuer at an https URL", async () => {
    await inFolder(async (folder) => {
      for (const host of ["issuer.example", "192.0.2.1", "[2001:db8::1]:8443"]) {
        const auth = { ...composeEdge.auth, jwksUrl: `https://${host}/keys.json` };
        const rendered = renderEdge({ ...composeEdge, ...generated, auth });
        // The path of the trusted certificates differs between systems.
        const trusted = join(folder, "trusted.pem");
        await writeFile(trusted, rootCertificates.join("\n"));
        const file = join(folder, "envoy.yaml");
        await writeFile(file, rendered.replace("/etc/ssl/certs/ca-certificates.crt", trusted));
        await validate(file);
      }
    });
  });
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "settle-edge-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
