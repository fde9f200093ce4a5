import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** Neither follows a link that took a file's place, nor waits for the writer of a named pipe. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a regular file to read it and reports its status; undefined when the path is none (any more).
 *
 * @throws the system's error when it cannot be opened
 */
export async function openRegularFile(
  absolutePath: string,
): Promise<{ handle: FileHandle; status: Stats } | undefined> {
  const handle = await open(absolutePath, openFlags);
  try {
    const status = await handle.stat();
    if (status.isFile()) return { handle, status };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}
