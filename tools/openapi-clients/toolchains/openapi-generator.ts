import { join } from "node:path";
import { fillOnce } from "../../local/fetch/fill-once.ts";
import { unpackWheel } from "../../local/fetch/pypi-wheel.ts";
import type { Job, Tool } from "../client.ts";
import { cacheDir } from "./cache.ts";
import { findJava } from "./java.ts";

export const openapiGenerator: Tool = {
  name: "openapi-generator",
  version: "7.26.0",
  license: "Apache-2.0",
};
/** The wheel of `openapi-generator-cli` on PyPI, which contains the released jar. */
const sha256 = "e6305fbbf91aa41b3b7fcd8bf2124880ab0bb9e32efad95b3dfe71f9313d856c";

/** Returns the path of the jar; downloads it once from PyPI (30 MB, checked by hash). */
export async function findOpenapiGenerator(): Promise<string> {
  const { name, version } = openapiGenerator;
  const place = await fillOnce(join(cacheDir, name, version), async (folder) => {
    const { env } = process;
    await unpackWheel({ name: "openapi-generator-cli", version, sha256, folder, env });
  });
  return join(place, "openapi_generator_cli/openapi-generator.jar");
}

/** Generates with one of its generators into the folder `client` of the job. */
export async function generateByOpenapiGenerator(
  { document, run }: Job,
  generator: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<void> {
  const all = Object.entries({ hideGenerationTimestamp: "true", ...properties });
  await run({
    command: await findJava(),
    args: [
      ...["-jar", await findOpenapiGenerator(), "generate"],
      ...["--input-spec", document, "--generator-name", generator, "--output", "client"],
      ...["--additional-properties", all.map((pair) => pair.join("=")).join(",")],
    ],
  });
}
