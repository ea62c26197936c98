import type { Client } from "../../client.ts";
import { findJava, java } from "../../toolchains/java.ts";
import {
  findOpenapiGenerator,
  generateByOpenapiGenerator,
  openapiGenerator,
} from "../../toolchains/openapi-generator.ts";
import { compilePython, installRequirements, pythonCommand } from "../../toolchains/python.ts";

const source = import.meta.dirname;

export const openapiGeneratorPython: Client = {
  name: "openapi-generator-python",
  language: "Python",
  tools: [
    openapiGenerator,
    { name: "pydantic", version: "2.14.4", license: "MIT" },
    { name: "mypy", version: "2.4.1", license: "MIT" },
    java,
  ],
  onlyNode: false,
  watch: "raw",
  async prepare() {
    await findJava();
    await findOpenapiGenerator();
    await installRequirements(source);
  },
  generate: (job) => generateByOpenapiGenerator(job, "python"),
  compile: (job) => compilePython(job, source, "openapi_client", ["pydantic.mypy"]),
  journey: () => pythonCommand(source, ["journey.py"]),
};
