#!/usr/bin/env node
/** The plugin as a program: reads a CodeGeneratorRequest from stdin; `--help` tells its options. */
import { runNodeJs } from "@bufbuild/protoplugin";
import { usage } from "./options.ts";
import { createPlugin } from "./plugin.ts";

if (process.argv.includes("--help") || process.stdin.isTTY) console.log(usage);
else runNodeJs(createPlugin({ warn: (line) => console.error(line) }));
