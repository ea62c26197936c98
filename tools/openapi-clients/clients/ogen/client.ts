import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGoProgram } from "../../../local/fetch/go-program.ts";
import type { Client } from "../../client.ts";
import { compileGo } from "../../toolchains/go.ts";

const source = import.meta.dirname;
const generator = { name: "ogen", version: "1.25.0", license: "Apache-2.0" };

const findGenerator = () =>
  findGoProgram({
    package: "github.com/ogen-go/ogen/cmd/ogen",
    version: `v${generator.version}`,
  });

export const ogen: Client = {
  name: "ogen",
  language: "Go",
  tools: [generator],
  onlyNode: false,
  watch: "raw",
  async prepare() {
    await findGenerator();
  },
  async generate({ document, folder, withJourney, run }) {
    const config = {
      generator: {
        features: { disable_all: true, enable: ["paths/client"] },
        // What it writes for server-sent events of a method that has errors too does not compile.
        filters: withJourney ? { path_regex: "^([^:]|:[^w])*$" } : {},
        // Like other clients, without the operations that it does not support.
        ignore_not_implemented: ["all"],
      },
    };
    writeFileSync(join(folder, "ogen.yml"), JSON.stringify(config));
    const to = ["--target", "client", "--package", "client"];
    await run({ command: await findGenerator(), args: ["--config", "ogen.yml", ...to, document] });
  },
  compile: (job) => compileGo(job, source),
  journey: async ({ folder }) => ({ command: `${folder}/journey`, args: [] }),
};
