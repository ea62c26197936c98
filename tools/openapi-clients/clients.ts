import type { Client } from "./client.ts";
import { heyApi } from "./clients/hey-api/client.ts";
import { oapiCodegen } from "./clients/oapi-codegen/client.ts";
import { ogen } from "./clients/ogen/client.ts";
import { openapiGeneratorGo } from "./clients/openapi-generator-go/client.ts";
import { openapiGeneratorJava } from "./clients/openapi-generator-java/client.ts";
import { openapiGeneratorPython } from "./clients/openapi-generator-python/client.ts";
import { openapiGeneratorTypescriptFetch } from "./clients/openapi-generator-typescript-fetch/client.ts";
import { openapiPythonClient } from "./clients/openapi-python-client/client.ts";
import { openapiTypescript } from "./clients/openapi-typescript/client.ts";

/** All generators, in the order in which they run. */
export const clients: readonly Client[] = [
  openapiTypescript,
  heyApi,
  openapiGeneratorTypescriptFetch,
  openapiPythonClient,
  openapiGeneratorPython,
  oapiCodegen,
  ogen,
  openapiGeneratorGo,
  openapiGeneratorJava,
];
