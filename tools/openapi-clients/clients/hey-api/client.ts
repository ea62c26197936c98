import { join } from "node:path";
import type { Client } from "../../client.ts";
import {
  compileTypeScript,
  programOf,
  typescript,
  typescriptJourney,
} from "../../toolchains/typescript.ts";

export const heyApi: Client = {
  name: "hey-api",
  language: "TypeScript",
  tools: [{ name: "@hey-api/openapi-ts", version: "0.99.0", license: "MIT" }, typescript],
  onlyNode: true,
  watch: "typed",
  async prepare() {},
  async generate({ document, run }) {
    const generator = programOf("@hey-api/openapi-ts/bin/run.js");
    await run({
      command: process.execPath,
      args: [generator, "--input", document, "--output", "client", "--no-log-file"],
    });
  },
  compile: (job) => compileTypeScript(job, join(import.meta.dirname, "journey.ts")),
  journey: async () => typescriptJourney,
};
