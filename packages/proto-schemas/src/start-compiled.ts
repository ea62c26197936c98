import module from "node:module";

/**
 * Loads a program, by what V8 compiled of it in earlier runs where this Node can keep that (from
 * 22.8 on, in the system's folder for temporary files; `NODE_DISABLE_COMPILE_CACHE=1` turns it off).
 */
export async function startCompiled(load: () => Promise<unknown>): Promise<void> {
  module.enableCompileCache?.();
  await load();
}
