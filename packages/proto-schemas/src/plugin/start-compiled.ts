import module from "node:module";

/**
 * Loads a program with the compile cache of Node, if it has one (Node 22.8 and later). The cache is
 * in the system's folder for temporary files; `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 */
export async function startCompiled(load: () => Promise<unknown>): Promise<void> {
  module.enableCompileCache?.();
  await load();
}
