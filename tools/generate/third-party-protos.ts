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
  /** The root of the protos in the archive. */
  readonly root: string;
  /** The files to extract, by target folder in `.cache/protos`. */
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
      // Listed in buf.yaml.
      googleapis: [
        "google/api/annotations.proto",
        "google/api/field_behavior.proto",
        "google/api/http.proto",
        "google/rpc/error_details.proto",
        "google/rpc/status.proto",
      ],
      // Only for the tests of packages/protoc-gen-openapi.
      "googleapis-more": ["google/api/httpbody.proto"],
    },
  },
  {
    // The source archive of 2.x has the same file, but is 18 MB.
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
      // Not ":all:", which would also build the build tools from source, for minutes.
      "--no-binary",
      "protovalidate",
      "protovalidate==1.2.0",
    ],
    root: "protovalidate-1.2.0/upstream/proto",
    modules: { protovalidate: ["buf/validate/validate.proto"] },
  },
];

/**
 * Downloads the third-party protos into `.cache/protos` if they are missing, by version and hash.
 * Needs npm and pip. Throws if a download fails or an archive does not have the pinned hash.
 */
export async function fetchThirdPartyProtos(root: string): Promise<void> {
  for (const source of sources) {
    const missing = Object.entries(source.modules).filter(
      ([module, files]) => !existsSync(join(root, ".cache/protos", module, markOf(source, files))),
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
        await writeFile(join(fresh, markOf(source, files)), "");
        await rm(target, { recursive: true, force: true });
        await rename(fresh, target);
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

/** The name of a file in a folder that has these files of this archive. */
function markOf({ archive }: Source, files: readonly string[]): string {
  const digest = createHash("sha256").update(files.join("\n")).digest("hex");
  return `.${archive}-${digest.slice(0, 16)}`;
}

/** Downloads the archive of a source into `folder`; throws if it does not have the pinned hash. */
async function download(source: Source, folder: string): Promise<void> {
  const [command, ...args] = source.download;
  await run(command, args, { cwd: folder });
  const sha512 = createHash("sha512")
    .update(await readFile(join(folder, source.archive)))
    .digest("base64");
  if (sha512 !== source.sha512) {
    throw new Error(`${source.archive} has SHA-512 ${sha512}, but ${source.sha512} is pinned`);
  }
}

/**
 * Downloads all protos of Google's public APIs into `.cache/google-proto-files` and returns that
 * folder. Needs npm; throws as {@link fetchThirdPartyProtos} does.
 */
export async function fetchGoogleProtos(root: string): Promise<string> {
  const target = join(root, ".cache/google-proto-files");
  if (existsSync(target)) return target;
  const [source] = sources;
  if (source === undefined) throw new Error("there is no source for Google's protos");
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
