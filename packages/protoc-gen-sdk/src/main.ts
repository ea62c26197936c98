/**
 * The program for `buf generate`: CodeGeneratorRequest on stdin, CodeGeneratorResponse on stdout.
 */
import { runNodeJs } from "@bufbuild/protoplugin";
import { plugin } from "./plugin.ts";

runNodeJs(plugin);
