import { rmSync } from "node:fs";
import { join } from "node:path";
import { findGo } from "../../../local/fetch/go-program.ts";
import type { Client } from "../../client.ts";
import { compileGo } from "../../toolchains/go.ts";
import { findJava, java } from "../../toolchains/java.ts";
import {
  findOpenapiGenerator,
  generateByOpenapiGenerator,
  openapiGenerator,
} from "../../toolchains/openapi-generator.ts";

const source = import.meta.dirname;

export const openapiGeneratorGo: Client = {
  name: "openapi-generator-go",
  language: "Go",
  tools: [openapiGenerator, java],
  onlyNode: false,
  watch: "raw",
  async prepare() {
    await findJava();
    await findOpenapiGenerator();
    await findGo();
  },
  async generate(job) {
    await generateByOpenapiGenerator(job, "go", {
      packageName: "client",
      withGoMod: "false",
      // Values of two enums may have the same name.
      enumClassPrefix: "true",
    });
    // Its tests import a module path that is to be filled in.
    rmSync(join(job.folder, "client/test"), { recursive: true, force: true });
  },
  compile: (job) => compileGo(job, source),
  journey: async ({ folder }) => ({ command: `${folder}/journey`, args: [] }),
};
