import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

type Source = {
  readonly archive: string;
  readonly sha512: string;
  readonly download: readonly [command: string, ...args: string[]];
  /** Where the protos start inside the archive. */
  readonly root: string;
  /** What is taken, by the folder below `.cache/protos` it goes to. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
};

const sources: readonly Source[] = [
  {
    archive: "google-proto-files-6.0.1.tgz",
    sha512:
      "fbvUWVNh3rKGlVFWwlUNF7Sk1Tah0a89q02rLTXsWjbKKHGeuURAa8tl9rvu5TyWny1YiSIo5eDqF260Tai6vQ==",
    download: ["npm", "pack", "--silent", "google-proto-files@6.0.1"],
    root: "package",
    modules: {
      // Named by buf.yaml.
      googleapis: [
        "google/api/annotations.proto",
        "google/api/http.proto",
        "google/rpc/error_details.proto",
        "google/rpc/status.proto",
      ],
      // For the tests of packages/protoc-gen-openapi only.
      "googleapis-more": ["google/api/field_behavior.proto", "google/api/httpbody.proto"],
    },
  },
  {
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
    modules: { protovalidate: ["buf/validate/validate.proto"] },
  },
];

/**
 * Brings the protos of others that ours import into `.cache/protos`, by version and hash, where
 * they are missing. Needs npm and Python's pip; throws when a download fails or an archive is not
 * the pinned one.
 */
export async function fetchThirdPartyProtos(root: string): Promise<void> {
  for (const source of sources) {
    const missing = Object.entries(source.modules).filter(
      ([module]) => !existsSync(join(root, ".cache/protos", module, `.${source.archive}`)),
    );
    if (missing.length === 0) continue;
    console.log(`fetching ${source.archive}`);
    const scratch = await mkdtemp(join(tmpdir(), "settle-protos-"));
    try {
      await download(source, scratch);
      for (const [module, files] of missing) {
        const paths = files.map((file) => `${source.root}/${file}`);
        await run("tar", ["-xzf", source.archive, ...paths], { cwd: scratch });
        const target = join(root, ".cache/protos", module);
        const fresh = `${target}.new`;
        await rm(fresh, { recursive: true, force: true });
        for (const file of files) {
          await mkdir(dirname(join(fresh, file)), { recursive: true });
          await copyFile(join(scratch, source.root, file), join(fresh, file));
        }
        await writeFile(join(fresh, `.${source.archive}`), "");
        await rm(target, { recursive: true, force: true });
        await rename(fresh, target);
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

/** Brings the archive of a source into `folder`; throws when it is not the pinned one. */
async function download(source: Source, folder: string): Promise<void> {
  const [command, ...args] = source.download;
  await run(command, args, { cwd: folder });
  const sha512 = createHash("sha512")
    .update(await readFile(join(folder, source.archive)))
    .digest("base64");
  if (sha512 !== source.sha512) {
    throw new Error(`${source.archive} has SHA-512 ${sha512}, pinned is ${source.sha512}`);
  }
}

/**
 * Brings all protos of Google's public interfaces, of which {@link fetchThirdPartyProtos} takes some,
 * into `.cache/google-proto-files` and returns that folder. Needs npm; throws as the other does.
 */
export async function fetchGoogleProtos(root: string): Promise<string> {
  const target = join(root, ".cache/google-proto-files");
  if (existsSync(target)) return target;
  const [source] = sources;
  if (source === undefined) throw new Error("there is no source of Google's protos");
  const scratch = await mkdtemp(join(tmpdir(), "settle-protos-"));
  try {
    await download(source, scratch);
    const fresh = `${target}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await run("tar", ["-xzf", source.archive, "--strip-components=1", "-C", fresh], {
      cwd: scratch,
    });
    await rename(fresh, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return target;
}
