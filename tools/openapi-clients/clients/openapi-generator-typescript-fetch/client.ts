import { join } from "node:path";
import type { Client } from "../../client.ts";
import { findJava, java } from "../../toolchains/java.ts";
import {
  findOpenapiGenerator,
  generateByOpenapiGenerator,
  openapiGenerator,
} from "../../toolchains/openapi-generator.ts";
import { compileTypeScript, typescript, typescriptJourney } from "../../toolchains/typescript.ts";

export const openapiGeneratorTypescriptFetch: Client = {
  name: "openapi-generator-typescript-fetch",
  language: "TypeScript",
  tools: [openapiGenerator, typescript, java],
  onlyNode: false,
  watch: "raw",
  knownFaults: [
    {
      sign: /error TS1131: Property or signature expected/,
      what: "it copies descriptions into comments as they are, which a `*/` ends",
    },
  ],
  async prepare() {
    await findJava();
    await findOpenapiGenerator();
  },
  generate: (job) => generateByOpenapiGenerator(job, "typescript-fetch"),
  compile: (job) => compileTypeScript(job, join(import.meta.dirname, "journey.ts")),
  journey: async () => typescriptJourney,
};
