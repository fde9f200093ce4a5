import { realpath } from 'node:fs/promises';
import path from 'node:path';

/** Paths of files below a folder, which may be named by its own path or by the one that links lead to. */
export class FolderPaths {
  private readonly folders: string[];

  /** @param folder absolute */
  constructor(private readonly folder: string) {
    this.folders = [folder];
  }

  /** Finds out where links lead to. */
  async resolveLinks(): Promise<void> {
    const real = await realpath(this.folder).catch(() => this.folder);
    if (!this.folders.includes(real)) this.folders.push(real);
  }

  /** A file's path relative to the folder, with forward slashes; empty for the folder itself, undefined outside of it. */
  pathOf(file: string): string | undefined {
    for (const folder of this.folders) {
      const relative = path.relative(folder, file);
      const steps = relative.split(path.sep);
      if (steps[0] !== '..' && !path.isAbsolute(relative)) return steps.join('/');
    }
    return undefined;
  }
}
