import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { fetchGoogleProtos } from "../generate/third-party-protos.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Compiles Google's public protos, which are downloaded with npm the first time; `more` are options of
 * `buf build`, such as `--exclude-source-info`, or `--path` for some of them and their imports.
 */
export async function compileGoogleProtos(
  ...more: readonly string[]
): Promise<readonly FileDescriptorProto[]> {
  const folder = await fetchGoogleProtos(root);
  const scratch = mkdtempSync(join(tmpdir(), "settle-google-"));
  try {
    const image = join(scratch, "image.binpb");
    // Without the tests of the compiler itself, which are incomplete.
    const without = ["--exclude-path", join(folder, "google/protobuf")];
    const to = ["--as-file-descriptor-set", ...more, "--output", image];
    execFileSync("buf", ["build", folder, ...without, ...to], { cwd: root, stdio: "inherit" });
    return fromBinary(FileDescriptorSetSchema, readFileSync(image)).file;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
