/** What `buf generate` runs: reads a CodeGeneratorRequest from standard input, answers on output. */
import { runNodeJs } from "@bufbuild/protoplugin";
import { plugin } from "./plugin.ts";

runNodeJs(plugin);
