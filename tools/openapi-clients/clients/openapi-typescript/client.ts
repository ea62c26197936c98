import { join } from "node:path";
import type { Client } from "../../client.ts";
import {
  compileTypeScript,
  programOf,
  typescript,
  typescriptJourney,
} from "../../toolchains/typescript.ts";

export const openapiTypescript: Client = {
  name: "openapi-typescript",
  language: "TypeScript",
  tools: [
    { name: "openapi-typescript", version: "7.13.0", license: "MIT" },
    { name: "openapi-fetch", version: "0.17.0", license: "MIT" },
    typescript,
  ],
  onlyNode: true,
  watch: "raw",
  async prepare() {},
  async generate({ document, run }) {
    const generator = programOf("openapi-typescript/bin/cli.js");
    await run({
      command: process.execPath,
      args: [generator, document, "--output", "client/document.ts"],
    });
  },
  compile: (job) => compileTypeScript(job, join(import.meta.dirname, "journey.ts")),
  journey: async () => typescriptJourney,
};
