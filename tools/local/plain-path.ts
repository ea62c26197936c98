import { createHash } from "node:crypto";
import { lstat, readlink, symlink } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { faultOfFolder } from "../neutral-environment.mjs";

/**
 * Returns a path of the folder that every part can use: itself, or else a link in the folder for
 * temporary files. It is the same each time, because RabbitMQ keeps the path with its data. Throws if
 * somebody else has such a link.
 */
export async function plainPathOf(folder: string): Promise<string> {
  if (faultOfFolder(folder) === undefined) return folder;
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  const link = join(tmpdir(), `settle-${name}`);
  if (faultOfFolder(link) !== undefined) {
    throw new Error(`RabbitMQ cannot use ${folder}: set DATA_DIR to a folder with a plain name`);
  }
  await symlink(folder, link).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { uid } = await lstat(link);
  const target = await readlink(link).catch(() => undefined);
  if (target === folder && uid === userInfo().uid) return link;
  throw new Error(
    `${link} is in the way: remove it, or set DATA_DIR to a folder with a plain name`,
  );
}
