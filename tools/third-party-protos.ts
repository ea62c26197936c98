import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

type Source = {
  /** The folder below `.cache/protos` that buf.yaml names as a module. */
  readonly module: string;
  readonly archive: string;
  readonly sha512: string;
  readonly download: readonly [command: string, ...args: string[]];
  /** Where the protos start inside the archive. */
  readonly root: string;
  readonly files: readonly string[];
};

const sources: readonly Source[] = [
  {
    module: "googleapis",
    archive: "google-proto-files-6.0.1.tgz",
    sha512:
      "fbvUWVNh3rKGlVFWwlUNF7Sk1Tah0a89q02rLTXsWjbKKHGeuURAa8tl9rvu5TyWny1YiSIo5eDqF260Tai6vQ==",
    download: ["npm", "pack", "--silent", "google-proto-files@6.0.1"],
    root: "package",
    files: [
      "google/api/annotations.proto",
      "google/api/http.proto",
      "google/rpc/error_details.proto",
      "google/rpc/status.proto",
    ],
  },
  {
    module: "protovalidate",
    // The source archive of 2.x holds the same file among 18 MB of others.
    archive: "protovalidate-1.2.0.tar.gz",
    sha512:
      "vjkb+mkyhFBmqVqA6b6E/xgKMwvdrOBaVl/hY744p6c2c8708zg5RjA2KdZUJW3xgyT45WdT09mcjhhM8VrRvQ==",
    download: [
      "python3",
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      // Not ":all:", which would build the build tools from source as well, for minutes.
      "--no-binary",
      "protovalidate",
      "protovalidate==1.2.0",
    ],
    root: "protovalidate-1.2.0/upstream/proto",
    files: ["buf/validate/validate.proto"],
  },
];

/**
 * Brings the protos of others that ours import into `.cache/protos`, by version and hash, where
 * they are missing. Needs npm and Python's pip; throws when a download fails or an archive is not
 * the pinned one.
 */
export async function fetchThirdPartyProtos(root: string): Promise<void> {
  for (const source of sources) {
    const target = join(root, ".cache/protos", source.module);
    const marker = join(target, `.${source.archive}`);
    if (await stat(marker).catch(() => undefined)) continue;
    console.log(`fetching ${source.archive}`);
    const scratch = await mkdtemp(join(tmpdir(), "settle-protos-"));
    try {
      const [command, ...args] = source.download;
      await run(command, args, { cwd: scratch });
      const archive = join(scratch, source.archive);
      const sha512 = createHash("sha512")
        .update(await readFile(archive))
        .digest("base64");
      if (sha512 !== source.sha512) {
        throw new Error(`${source.archive} has SHA-512 ${sha512}, pinned is ${source.sha512}`);
      }
      await run("tar", ["-xzf", archive, ...source.files.map((file) => `${source.root}/${file}`)], {
        cwd: scratch,
      });
      const fresh = `${target}.new`;
      await rm(fresh, { recursive: true, force: true });
      for (const file of source.files) {
        await mkdir(dirname(join(fresh, file)), { recursive: true });
        await copyFile(join(scratch, source.root, file), join(fresh, file));
      }
      await writeFile(join(fresh, `.${source.archive}`), "");
      await rm(target, { recursive: true, force: true });
      await rename(fresh, target);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}
