import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fetchThirdPartyProtos } from "../../../tools/generate/third-party-protos.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const timeoutMs = 60_000;

type Run = { readonly stdout: string; readonly stderr: string };

/** A folder with a generator that was installed from its tarball. */
export type Installed = {
  readonly folder: string;
  /** The files in the tarball. */
  readonly packed: readonly string[];
  /** Runs a program with the installed programs in PATH; throws with its output if it fails. */
  run(command: string, ...args: readonly string[]): Promise<Run>;
  /**
   * Runs `buf generate` with the installed plugin and with the sources; returns the files of each.
   */
  generate(opt: readonly string[]): Promise<Record<"packed" | "sources", Files>>;
};
export type Files = Readonly<Record<string, string>>;

/**
 * Packs a generator as `npm publish` would, installs the tarball offline in an empty folder, adds
 * `protos` (as `proto/<name>`), and describes the tests of all generators; `more` describes the
 * tests of this one.
 */
export function describePacked(
  name: string,
  protos: Files,
  more: (installed: () => Installed) => void,
): void {
  describe(`the tarball of ${name}`, function () {
    this.timeout(timeoutMs);
    let installed: Installed;
    before(async () => {
      installed = await install(name, protos);
    });
    after(() => rmSync(installed.folder, { recursive: true, force: true }));

    it("contains a program, README and licences, and has no dependencies", () => {
      const papers = ["LICENSE", "README.md", "dist/THIRD_PARTY_LICENSES.txt", "package.json"];
      const { folder, packed } = installed;
      const code = packed.filter((file) => !papers.includes(file));
      for (const file of code) assert.match(file, /^dist\/[\w-]+\.js$/);
      assert.deepEqual(
        papers.filter((file) => !packed.includes(file)),
        [],
      );
      const inside = join(folder, "node_modules/@settle", name);
      const manifest = JSON.parse(readFileSync(join(inside, "package.json"), "utf8"));
      assert.equal(manifest.dependencies, undefined);
      assert.equal(manifest.private, undefined);
      const found = globSync("{*,*/*}/package.json", { cwd: join(folder, "node_modules") });
      assert.deepEqual(found, [`@settle/${name}/package.json`]);
      const license = (file: string) => readFileSync(file, "utf8");
      assert.equal(license(join(inside, "LICENSE")), license(join(root, "LICENSE")));
    });

    it("prints its options, without internal names", async () => {
      const { stdout } = await installed.run(name, "--help");
      assert.ok(stdout.includes(`- local: ${name}\n`));
      assert.doesNotMatch(stdout, /\.ts\b|settle/i);
    });

    it("tells the version of the package", async () => {
      const { folder, run } = installed;
      const file = join(folder, "node_modules/@settle", name, "package.json");
      const { version } = JSON.parse(readFileSync(file, "utf8"));
      assert.equal((await run(name, "--version")).stdout, `${version}\n`);
    });

    more(() => installed);
  });
}

async function install(name: string, protos: Files): Promise<Installed> {
  await fetchThirdPartyProtos(root);
  const folder = mkdtempSync(join(tmpdir(), "packed-"));
  const path = [join(folder, "node_modules/.bin"), dirname(process.execPath), process.env.PATH];
  const run = async (command: string, ...args: readonly string[]): Promise<Run> => {
    const env = { ...process.env, PATH: path.join(delimiter) };
    try {
      return await promisify(execFile)(command, args, { cwd: folder, env });
    } catch (error) {
      const { stdout, stderr } = error as Run;
      throw new Error(`${command}: ${stdout}${stderr}`);
    }
  };
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const from = join(root, "packages", name);
  const { stdout } = await run("npm", "pack", from, "--json", "--silent");
  // The output of the scripts comes first.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  write("package.json", "{}");
  await run("npm", "install", `./${filename}`, "--offline", "--no-audit", "--no-fund");
  for (const [file, text] of Object.entries(protos)) write(`proto/${file}`, text);
  cpSync(join(root, ".cache/protos/googleapis"), join(folder, "googleapis"), { recursive: true });
  const modules = [{ path: "proto" }, { path: "googleapis" }];
  write("buf.yaml", JSON.stringify({ version: "v2", modules }));
  return {
    folder,
    packed: files.map((file: { path: string }) => file.path),
    run,
    async generate(opt) {
      const plugins = [
        { local: name, out: "packed", strategy: "all", opt },
        { local: ["node", join(from, "src/main.ts")], out: "sources", strategy: "all", opt },
      ];
      write("buf.gen.yaml", JSON.stringify({ version: "v2", plugins, clean: true }));
      await run(join(root, "node_modules/.bin/buf"), "generate", "proto");
      const read = (out: string): Files =>
        Object.fromEntries(
          globSync("*", { cwd: join(folder, out) }).map((file) => [
            file,
            readFileSync(join(folder, out, file), "utf8"),
          ]),
        );
      return { packed: read("packed"), sources: read("sources") };
    },
  };
}
