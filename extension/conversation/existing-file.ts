import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** The segments of a relative path with forward slashes; undefined for any other, and for one that leaves its root. */
function segmentsOf(relativePath: string): readonly string[] | undefined {
  if (/[\\\0]/.test(relativePath)) return undefined;
  const segments = relativePath.split('/').filter((segment) => segment !== '.');
  const isPlain = segments.every((segment) => segment !== '' && segment !== '..' && !/^[a-z]:/i.test(segment));
  return isPlain && segments.length > 0 ? segments : undefined;
}

/** The absolute path of a file that lies inside a folder, links followed; undefined where there is none. */
export async function existingFile(folder: string, relativePath: string): Promise<string | undefined> {
  const segments = segmentsOf(relativePath);
  if (segments === undefined) return undefined;
  const file = path.join(folder, ...segments);
  try {
    const [realFolder, realFile, status] = await Promise.all([realpath(folder), realpath(file), stat(file)]);
    const inFolder = path.relative(realFolder, realFile);
    const isInside = inFolder !== '' && !inFolder.startsWith('..') && !path.isAbsolute(inFolder);
    return isInside && status.isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
