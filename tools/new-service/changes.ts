import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
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
 * everything as it was. All contents are written beside the files first, so a disk that is full or a
 * folder that cannot be written to is found before anything is changed. Nothing interrupts it but the
 * end of the process by force. Folders that become empty go, too.
 */
export function makeChanges(root: string, changes: readonly Change[]): void {
  const made: Change[] = [];
  try {
    for (const { file, after } of changes) prepare(root, file, after);
    for (const change of changes) {
      made.push(change);
      replace(root, change.file, change.after);
    }
  } catch (error) {
    const lost = made.reverse().filter(({ file, before }) => !putBack(root, file, before));
    for (const { file } of changes) discard(root, file);
    if (lost.length === 0) throw error;
    const files = lost.map(({ file }) => file).join(", ");
    throw new Error(`${error}; not as they were, see git status: ${files}`, { cause: error });
  }
}

/** Writes what a file will be to another one beside it. */
function prepare(root: string, file: string, content: Buffer | undefined): void {
  if (!content) return;
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  const mode = existsSync(path) ? statSync(path).mode : undefined;
  writeFileSync(besideOf(path), content, { mode });
}

/** Gives a file the content that was prepared, or removes it. */
function replace(root: string, file: string, content: Buffer | undefined): void {
  const path = join(root, file);
  if (content) {
    renameSync(besideOf(path), path);
    return;
  }
  if (existsSync(path)) rmSync(path);
  removeEmpty(root, dirname(file));
}

/** Whether a file is as it was before. */
function putBack(root: string, file: string, before: Buffer | undefined): boolean {
  try {
    const now = read(join(root, file));
    if (before && now ? before.equals(now) : before === now) return true;
    prepare(root, file, before);
    replace(root, file, before);
    return true;
  } catch {
    return false;
  }
}

/** Removes what was prepared and not used. */
function discard(root: string, file: string): void {
  try {
    rmSync(besideOf(join(root, file)), { force: true });
    removeEmpty(root, dirname(file));
  } catch {
    // Where nothing could be written, nothing is to be removed.
  }
}

function besideOf(path: string): string {
  return `${path}.new-service`;
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
