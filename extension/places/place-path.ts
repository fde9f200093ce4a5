/**
 * True when a path that came from elsewhere names a place below its root: relative, with forward slashes, and without a
 * step that leads out. It says nothing about links on disk.
 * @param windows true where backslashes and drive letters lead out too
 */
export function staysInside(path: string, windows: boolean): boolean {
  if (windows && /[\\:]/.test(path)) return false;
  return !path.includes('\0') && path.split('/').every((step) => step !== '' && step !== '.' && step !== '..');
}
