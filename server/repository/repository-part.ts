/** Files that say which others belong to the repository; they hold for the folder that they lie in. */
const ruleFiles: ReadonlySet<string> = new Set(['.gitignore', '.locretignore']);

/** The folder of a path; empty for the root. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** What a change of a path may concern: itself, or the whole folder whose rules it is about. */
function concernedBy(path: string): string {
  const git = `/${path}/`.indexOf('/.git/');
  if (git >= 0) return path.slice(0, Math.max(0, git - 1));
  return ruleFiles.has(path.slice(path.lastIndexOf('/') + 1)) ? parentOf(path) : path;
}

/**
 * A part of a repository: some files and folders with everything below them. Paths are relative to the root, with
 * forward slashes; the empty path is the root itself.
 */
export class RepositoryPart {
  private readonly paths: ReadonlySet<string>;
  /** Folders on the way to these paths. */
  private readonly ways = new Set<string>();

  constructor(paths: Iterable<string>) {
    this.paths = new Set(paths);
    for (const path of this.paths) {
      for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) this.ways.add(folder);
    }
  }

  /**
   * The part in which anything may be different when these paths have changed: an ignore file, and git's list of what it
   * tracks, concern their whole folder.
   */
  static concernedBy(paths: Iterable<string>): RepositoryPart {
    return new RepositoryPart(Array.from(paths, concernedBy));
  }

  /** Whether a file or folder lies in this part. */
  includes(path: string): boolean {
    for (let place = path; place !== ''; place = parentOf(place)) if (this.paths.has(place)) return true;
    return this.paths.has('');
  }

  /** Whether a walk must look at a file or folder: it lies in this part, or on the way to it. */
  leadsTo(path: string): boolean {
    return this.ways.has(path) || this.includes(path);
  }

  /** This part, and more. */
  with(paths: Iterable<string>): RepositoryPart {
    return new RepositoryPart([...this.paths, ...paths]);
  }
}
