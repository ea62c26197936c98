import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** A file as it is and as it will be; undefined where there is none. */
export type Change = {
  readonly file: string;
  readonly before: Buffer | undefined;
  readonly after: Buffer | undefined;
};

/** How the files that `patterns` match differ between the project and its copy, by their names. */
export function findChanges(
  root: string,
  copy: string,
  patterns: readonly string[],
): readonly Change[] {
  const options = { withFileTypes: true } as const;
  const filesIn = (cwd: string) =>
    globSync(patterns as string[], { cwd, ...options })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(cwd.length).replace(/^\//, ""));
  const files = new Set([...filesIn(root), ...filesIn(copy)]);
  return [...files].sort().flatMap((file) => {
    const [before, after] = [read(join(root, file)), read(join(copy, file))];
    const isSame = before && after ? before.equals(after) : before === after;
    return isSame ? [] : [{ file, before, after }];
  });
}

/**
 * Makes all the changes below `root` or, where one of them cannot be made, none: throws then, with
 * everything as it was. Nothing interrupts it but the end of the process by force. Folders that become
 * empty go, too.
 */
export function makeChanges(root: string, changes: readonly Change[]): void {
  const made: Change[] = [];
  try {
    for (const change of changes) {
      made.push(change);
      put(root, change.file, change.after);
    }
  } catch (error) {
    for (const { file, before } of made.reverse()) put(root, file, before);
    throw error;
  }
}

function put(root: string, file: string, content: Buffer | undefined): void {
  const path = join(root, file);
  if (content) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return;
  }
  if (existsSync(path)) rmSync(path);
  removeEmpty(root, dirname(file));
}

function removeEmpty(root: string, folder: string): void {
  if (folder === "." || !existsSync(join(root, folder))) return;
  try {
    rmdirSync(join(root, folder));
  } catch {
    return;
  }
  removeEmpty(root, dirname(folder));
}

function read(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}
