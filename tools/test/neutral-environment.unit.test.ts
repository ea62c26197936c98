import assert from "node:assert/strict";
import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainPathOf } from "../local/plain-path.ts";
import { faultOfFolder, neutralise } from "../neutral-environment.mjs";

function neutral(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  neutralise(env);
  return env;
}

const always = { PIP_REQUIRE_VIRTUALENV: "0", PIP_USER: "0" };

describe("the environment of parts on this machine", () => {
  it("has no settings for other programs of the user", () => {
    const others = {
      PGSSLMODE: "require",
      PGOPTIONS: "-cdefault_transaction_read_only=on",
      PGHOST: "db.example",
      ERL_AFLAGS: "-kernel",
      RABBITMQ_NODENAME: "other",
      PIP_TARGET: "/x",
      PIP_NO_BINARY: ":all:",
    };
    const ours = {
      PATH: "/bin",
      POSTGRES_PORT: "1",
      RABBITMQ_PORT: "2",
      RABBITMQ_MANAGEMENT_PORT: "3",
      RABBITMQ_MANAGEMENT_URL: "http://x",
      PIP_INDEX_URL: "https://index.example",
      PAGER: "less",
    };
    const set = { PIP_REQUIRE_VIRTUALENV: "true", PIP_USER: "yes" };
    assert.deepEqual(neutral({ ...others, ...ours, ...set }), { ...ours, ...always });
  });

  it("reaches this machine without a proxy", () => {
    assert.deepEqual(neutral({}), always);
    for (const name of ["HTTP_PROXY", "https_proxy", "ALL_PROXY"]) {
      const { NO_PROXY, no_proxy } = neutral({ [name]: "http://proxy", NO_PROXY: "a.example, b" });
      assert.equal(NO_PROXY, "a.example,b,localhost,127.0.0.1,::1");
      assert.equal(no_proxy, "localhost,127.0.0.1,::1");
    }
  });
});

describe("a folder for the parts", () => {
  it("has a name that all of them can use", () => {
    for (const good of ["/home/ann/a b", "/é", "/a#b%c&(d)[e]"]) {
      assert.equal(faultOfFolder(good), undefined, good);
    }
    const faulty = { "/Проект": "П", "/it's": "'", "/a$b": "$", "/a:b": ":", "/😀": "😀" };
    for (const [path, fault] of Object.entries(faulty)) assert.equal(faultOfFolder(path), fault);
  });

  it("is reached by a link if its name is not plain, the same each time", async () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-plain-"));
    try {
      assert.equal(await plainPathOf(folder), folder);
      const odd = join(folder, "Проект, it's");
      mkdirSync(odd);
      const link = await plainPathOf(odd);
      assert.equal(faultOfFolder(link), undefined);
      assert.equal(realpathSync(link), realpathSync(odd));
      assert.equal(await plainPathOf(odd), link);
      rmSync(link);
      mkdirSync(link);
      await assert.rejects(plainPathOf(odd), /is in the way/);
      assert.ok(lstatSync(link).isDirectory());
      rmSync(link, { recursive: true });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
