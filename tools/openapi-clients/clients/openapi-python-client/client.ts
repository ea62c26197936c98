import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client.ts";
import { compilePython, installRequirements, pythonCommand } from "../../toolchains/python.ts";

const source = import.meta.dirname;

export const openapiPythonClient: Client = {
  name: "openapi-python-client",
  language: "Python",
  tools: [
    { name: "openapi-python-client", version: "0.29.1", license: "MIT" },
    { name: "mypy", version: "2.4.1", license: "MIT" },
  ],
  onlyNode: false,
  watch: "raw",
  async prepare() {
    await installRequirements(source);
  },
  async generate({ document, folder, run }) {
    const generate = ["-m", "openapi_python_client", "generate", "--path", document];
    const config = { package_name_override: "api_client" };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const to = ["--output-path", "client", "--meta", "setup", "--config", "config.json"];
    // A warning is an operation or a field that the client lacks.
    const strictly = ["--fail-on-warning", "--overwrite"];
    await run(await pythonCommand(source, [...generate, ...to, ...strictly]));
  },
  compile: (job) => compilePython(job, source, "api_client"),
  journey: () => pythonCommand(source, ["journey.py"]),
};
