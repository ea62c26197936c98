import assert from "node:assert/strict";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findChanges, makeChanges } from "../changes.ts";
import { addRoutes, removeRoutes } from "../event-routes.ts";
import { linkPackage, unlinkPackage } from "../links.ts";
import { addPackage, removePackage } from "../lock-file.ts";
import { renderTemplate } from "../template.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");

describe("the routes of events", () => {
  const text = read("proto/events/v1/events.proto");
  const events = ["events.v1.PaymentResultEvent", "events.v1.OrderCreatedEvent"];

  it("get a line for each new service, which can be removed in any order", () => {
    const one = addRoutes(text, "newcomer", events);
    assert.match(one, /PaymentResultEvent \{[^}]*\n {4}also_to: "newcomer"\n {2}\};/);
    assert.equal(one.split('also_to: "newcomer"').length, 3);
    const both = addRoutes(one, "latecomer", events.slice(0, 1));
    assert.equal(removeRoutes(both, "latecomer"), one);
    assert.equal(removeRoutes(removeRoutes(both, "newcomer"), "latecomer"), text);
  });

  it("are not changed if an event or its route cannot be found", () => {
    assert.throws(() => addRoutes(text, "newcomer", ["events.v1.Nothing"]), /events\.v1\.Nothing/);
    const without = text.replaceAll("option (topology.v1.route) = {", "option deprecated = true;");
    assert.throws(() => addRoutes(without, "newcomer", events), /start it with the line/);
  });
});

describe("the lock file", () => {
  it("gets a new package where npm would write it, and is the same after its removal", () => {
    const text = read("package-lock.json");
    const { packages: before } = JSON.parse(text);
    const manifest = read("services/payments/package.json").replace("payments", "newcomer");
    const added = addPackage(text, "newcomer", manifest);
    const { packages } = JSON.parse(added);
    assert.deepEqual(packages["services/newcomer"], {
      ...before["services/payments"],
      name: "@settle/newcomer",
    });
    const keys = Object.keys(packages);
    const at = keys.indexOf("services/newcomer");
    assert.ok(keys[at + 1]?.startsWith("services/"));
    assert.equal(removePackage(added, "newcomer"), text);
  });
});

describe("the template", () => {
  it("leaves no placeholder, and has the same dependency versions as other services", () => {
    const events = ["events.v1.PaymentResultEvent", "events.v1.OrderCreatedEvent"];
    const files = renderTemplate({ name: "newcomer", port: 8104 }, events);
    for (const [file, text] of files) {
      assert.doesNotMatch(file + text, /\{(name|Name|NAME|port|schemas|firstEvent)\}/, file);
      assert.doesNotMatch(file, /\.txt$/);
    }
    const manifest = JSON.parse(files.get("services/newcomer/package.json") ?? "");
    const { zod: _, ...others } = JSON.parse(read("services/payments/package.json")).dependencies;
    assert.deepEqual(manifest.dependencies, others);
  });
});

describe("the link to a package", () => {
  it("is created again after git removed its target", () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-links-"));
    try {
      mkdirSync(join(folder, "node_modules/@settle"), { recursive: true });
      linkPackage(folder, "newcomer");
      mkdirSync(join(folder, "services/newcomer"), { recursive: true });
      for (let times = 0; times < 2; times += 1) linkPackage(folder, "newcomer");
      assert.ok(existsSync(join(folder, "node_modules/@settle/newcomer")));
      rmSync(join(folder, "services/newcomer"), { recursive: true });
      linkPackage(folder, "newcomer");
      unlinkPackage(folder, "newcomer");
      assert.deepEqual(readdirSync(join(folder, "node_modules/@settle")), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("changes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-changes-"));
    for (const name of ["project/a", "project/b", "copy/a"]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    write("project/kept", "same");
    write("copy/kept", "same");
    write("project/a/changed", "before");
    write("copy/a/changed", "after");
    write("project/b/gone", "there");
    write("copy/new", "new");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const find = () => findChanges(join(folder, "project"), join(folder, "copy"), ["**"]);

  it("are the differences of a copy, and make the project equal to it", () => {
    assert.deepEqual(
      find().map(({ file }) => file),
      ["a/changed", "b/gone", "new"],
    );
    makeChanges(join(folder, "project"), find());
    assert.deepEqual(find(), []);
    assert.equal(existsSync(join(folder, "project/b")), false);
  });

  it("are applied all or not at all", () => {
    const impossible = { file: "kept/below", before: undefined, after: Buffer.from("x") };
    assert.throws(() => makeChanges(join(folder, "project"), [...find(), impossible]), /kept/);
    assert.equal(readFileSync(join(folder, "project/a/changed"), "utf8"), "before");
    assert.equal(readFileSync(join(folder, "project/b/gone"), "utf8"), "there");
    assert.equal(existsSync(join(folder, "project/new")), false);
  });

  it("are undone if a later one fails, even if that one cannot be undone", () => {
    const before = Buffer.from("was there");
    // A folder is in the place of the file.
    mkdirSync(join(folder, "project/z/folder"), { recursive: true });
    const impossible = { file: "z", before, after: Buffer.from("x") };
    assert.throws(() => makeChanges(join(folder, "project"), [...find(), impossible]), {
      message: /could not restore these files, check git status: z$/,
    });
    const files = globSync("**/*", { cwd: join(folder, "project") }).sort();
    assert.deepEqual(files, ["a", "a/changed", "b", "b/gone", "kept", "z", "z/folder"]);
    assert.equal(readFileSync(join(folder, "project/a/changed"), "utf8"), "before");
  });
});
