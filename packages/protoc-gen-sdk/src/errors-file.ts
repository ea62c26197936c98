import type { GeneratedFile } from "@bufbuild/protoplugin";
import type { Reason, Reasons } from "./reasons.ts";

/** Prints a class for each reason, a table of all classes, and the union of the common reasons. */
export function printErrors(f: GeneratedFile, { file, all, common }: Reasons): void {
  f.preamble(file);
  const base = f.import("SettleError", "@settle/sdk-runtime");
  for (const { word, className, text } of all) {
    f.print(f.jsDoc(text));
    f.print(`export class ${className} extends `, base, `<"${word}"> {`);
    f.print(`  override readonly name = "${className}";`);
    f.print("}");
    f.print();
  }
  f.print(f.jsDoc("The error class of each reason."));
  f.print("export const errorClasses = {");
  for (const { word, className } of all) f.print(`  ${word}: ${className},`);
  f.print("} as const;");
  f.print();
  f.print(f.jsDoc("An error reason known to this SDK."));
  f.print("export type Reason = keyof typeof errorClasses;");
  f.print();
  f.print(f.jsDoc("The error reasons that every call can return."));
  f.print(`export type CommonReason =${unionOf(common)};`);
}

/** Returns the names of the reasons as members of a union type. */
export function unionOf(reasons: readonly Reason[]): string {
  return reasons.length === 0 ? " never" : reasons.map(({ word }) => `\n  | "${word}"`).join("");
}
