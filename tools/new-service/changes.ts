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

/** The content of a file before and after; undefined if the file does not exist. */
export type Change = {
  readonly file: string;
  readonly before: Buffer | undefined;
  readonly after: Buffer | undefined;
};

/** Returns the files matching `patterns` that differ between the project and its copy, by name. */
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
 * Applies all changes below `root`, or none: if one fails, it restores the files and throws. It
 * first writes every content to a temporary file beside its target, so a full disk or a read-only
 * folder is detected before any file changes. Runs synchronously, so only killing the process can
 * interrupt it. Removes folders that become empty.
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
    throw new Error(`${error}; could not restore these files, check git status: ${files}`, {
      cause: error,
    });
  }
}

/** Writes the new content of a file to a temporary file beside it. */
function prepare(root: string, file: string, content: Buffer | undefined): void {
  if (!content) return;
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  const mode = existsSync(path) ? statSync(path).mode : undefined;
  writeFileSync(besideOf(path), content, { mode });
}

/** Replaces a file with its prepared content, or removes it if there is none. */
function replace(root: string, file: string, content: Buffer | undefined): void {
  const path = join(root, file);
  if (content) {
    renameSync(besideOf(path), path);
    return;
  }
  if (existsSync(path)) rmSync(path);
  removeEmpty(root, dirname(file));
}

/** Restores the content of a file; returns whether that succeeded. */
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

/** Removes a prepared content that was not used. */
function discard(root: string, file: string): void {
  try {
    rmSync(besideOf(join(root, file)), { force: true });
    removeEmpty(root, dirname(file));
  } catch {
    // If nothing could be written, there is nothing to remove.
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
