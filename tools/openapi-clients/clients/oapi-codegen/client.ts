import { findGoProgram } from "../../../local/fetch/go-program.ts";
import type { Client } from "../../client.ts";
import { compileGo } from "../../toolchains/go.ts";

const source = import.meta.dirname;
const generator = { name: "oapi-codegen", version: "2.8.2", license: "Apache-2.0" };

const findGenerator = () =>
  findGoProgram({
    package: "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen",
    version: `v${generator.version}`,
  });

export const oapiCodegen: Client = {
  name: "oapi-codegen",
  language: "Go",
  tools: [
    generator,
    { name: "github.com/oapi-codegen/runtime", version: "1.9.0", license: "Apache-2.0" },
  ],
  onlyNode: false,
  watch: "raw",
  async prepare() {
    await findGenerator();
  },
  async generate({ document, run }) {
    const options = ["-generate", "types,client", "-package", "client", "-o", "client/client.go"];
    await run({ command: await findGenerator(), args: [...options, document] });
  },
  compile: (job) => compileGo(job, source),
  journey: async ({ folder }) => ({ command: `${folder}/journey`, args: [] }),
};
