/**
 * True when a change of this file can matter to what the sidecar holds. Of git's own folder only those files can that
 * decide what belongs to the repository; git writes the rest all the time.
 * @param path a file's path with forward slashes
 */
export function matters(path: string): boolean {
  const inside = path.split('/.git/')[1];
  return inside === undefined || inside === 'index' || inside === 'info/exclude';
}
