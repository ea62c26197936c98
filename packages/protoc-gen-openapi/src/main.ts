#!/usr/bin/env node
/**
 * The plugin as a program: reads a CodeGeneratorRequest from stdin. `--help` prints the options.
 */
import { startCompiled } from "@settle/proto-schemas/plugin/start-compiled";

await startCompiled(() => import("./program.ts"));
