import path from 'node:path';
import ignore, { type Ignore } from 'ignore';
import type { SurveyOptions } from './source.js';
import { gitFolderOf, readGitSettings, readSmallFile, type GitFolder } from './git-folder.js';
import { readTrackedPaths } from './git-index.js';

/**
 * One line of an ignore file as a pattern for the folder that all paths are relative to: what `.gitignore` says in a
 * folder holds below that folder.
 *
 * @param folder of the ignore file, relative, ending in a slash; empty for the top
 */
function rebasePattern(line: string, folder: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (folder === '' || text.trimStart() === '' || text.startsWith('#')) return text;
  const negated = text.startsWith('!');
  const pattern = negated ? text.slice(1) : text;
  if (/^\/* *$/.test(pattern)) return '';
  const isAnchored = pattern.trimEnd().slice(0, -1).includes('/');
  const escaped = folder.replaceAll(/[\\*?[]/g, '\\$&');
  return `${negated ? '!' : ''}/${escaped}${isAnchored ? pattern.replace(/^\//, '') : `**/${pattern}`}`;
}

function addRules(rules: Ignore, text: string | undefined, folder: string, ignoreCase: boolean): Ignore {
  if (text === undefined) return rules;
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return ignore({ ignoreCase })
    .add(rules)
    .add(lines.map((line) => rebasePattern(line, folder)));
}

/** What holds in the whole repository. */
interface Scope {
  /** Absolute; every path that is tested is relative to it. */
  readonly top: string;
  readonly tracked: ReadonlySet<string>;
  readonly trackedFolders: ReadonlySet<string>;
  readonly ignoreCase: boolean;
  readonly options: SurveyOptions;
  readonly exclude: Ignore;
  readonly include: Ignore | undefined;
}

/**
 * The rules that hold in one folder of a repository. Git's come first, by git's precedence: the global list
 * (core.excludesFile), `.git/info/exclude`, then `.gitignore` from the top down, the last matching pattern deciding.
 * `.locretignore` is stronger than all of git's: it leaves out tracked files too, and `!pattern` brings ignored ones
 * back. The options' `exclude` is stronger still, and `include` leaves only what it matches. What git's index lists is
 * tracked, even where an ignore file names it.
 */
export class IgnoreRules {
  private constructor(
    private readonly scope: Scope,
    private readonly git: Ignore,
    private readonly own: Ignore,
    private readonly both: Ignore,
  ) {}

  /**
   * The rules at the root: those of the folders above it, too, up to the top of the git work tree that it lies in. A
   * root that its work tree ignores is read as a repository of its own.
   *
   * @param root absolute, links resolved
   */
  static async open(root: string, options: SurveyOptions): Promise<{ rules: IgnoreRules; inGit: boolean }> {
    for (let folder = root; ; folder = path.dirname(folder)) {
      const git = await gitFolderOf(folder);
      if (git !== undefined) {
        const rules = await IgnoreRules.descend(await IgnoreRules.at(folder, root, git, options), folder, root);
        return { rules: rules ?? (await IgnoreRules.at(root, root, undefined, options)), inGit: rules !== undefined };
      }
      if (folder === path.dirname(folder)) break;
    }
    return { rules: await IgnoreRules.at(root, root, undefined, options), inGit: false };
  }

  private static async at(
    top: string,
    root: string,
    git: GitFolder | undefined,
    options: SurveyOptions,
  ): Promise<IgnoreRules> {
    const settings = await readGitSettings(git);
    const { ignoreCase } = settings;
    const tracked = git === undefined ? [] : await readTrackedPaths(path.join(git.own, 'index'), settings.hashBytes);
    const rootFolder = folderPrefix(path.relative(top, root));
    const rebased = (patterns: readonly string[]): Ignore =>
      addRules(ignore({ ignoreCase }), patterns.join('\n'), rootFolder, ignoreCase);
    const scope = {
      top,
      tracked: new Set(tracked),
      trackedFolders: new Set(tracked.flatMap(foldersOf)),
      ignoreCase,
      options,
      exclude: rebased(options.exclude),
      include: options.include.length === 0 ? undefined : rebased(options.include),
    };
    const global = addRules(ignore({ ignoreCase }), await readSmallFile(settings.excludesFile), '', ignoreCase);
    const infoExclude = git === undefined ? undefined : await readSmallFile(path.join(git.common, 'info', 'exclude'));
    const rules = addRules(global, infoExclude, '', ignoreCase);
    return new IgnoreRules(scope, rules, ignore({ ignoreCase }), rules).enter(top);
  }

  /** From the top's rules to the root's; undefined when a folder on the way is ignored. */
  private static async descend(top: IgnoreRules, from: string, root: string): Promise<IgnoreRules | undefined> {
    let rules = top;
    let folder = from;
    for (const part of path.relative(from, root).split(path.sep)) {
      if (part === '') continue;
      folder = path.join(folder, part);
      if (!rules.keepsFolder(folder)) return undefined;
      rules = await rules.enter(folder);
    }
    return rules;
  }

  /** The rules inside a folder, whose own ignore files are read. */
  async enter(folder: string): Promise<IgnoreRules> {
    const [gitText, ownText] = await Promise.all([
      readSmallFile(path.join(folder, '.gitignore')),
      readSmallFile(path.join(folder, '.locretignore')),
    ]);
    return this.with(folder, gitText, ownText);
  }

  /** The rules inside a git repository that lies in a folder which is in none. */
  async enterRepository(folder: string, git: GitFolder): Promise<IgnoreRules> {
    const excludes = this.with(folder, await readSmallFile(path.join(git.common, 'info', 'exclude')), undefined);
    return excludes.enter(folder);
  }

  private with(folder: string, gitText: string | undefined, ownText: string | undefined): IgnoreRules {
    if (gitText === undefined && ownText === undefined) return this;
    const { ignoreCase } = this.scope;
    const prefix = folderPrefix(this.relative(folder));
    const git = addRules(this.git, gitText, prefix, ignoreCase);
    const own = addRules(this.own, ownText, prefix, ignoreCase);
    return new IgnoreRules(this.scope, git, own, ignore({ ignoreCase }).add(git).add(own));
  }

  /** Whether anything in the folder may be part of the repository. @param folder absolute */
  keepsFolder(folder: string): boolean {
    const relative = this.relative(folder);
    const tested = `${relative}/`;
    if (this.scope.exclude.ignores(tested) || this.own.ignores(tested)) return false;
    return this.scope.trackedFolders.has(relative) || !this.both.ignores(tested);
  }

  /** Whether the file is part of the repository. @param file absolute */
  keepsFile(file: string): boolean {
    const relative = this.relative(file);
    if (this.scope.exclude.ignores(relative) || this.own.ignores(relative)) return false;
    if (this.scope.include?.ignores(relative) === false) return false;
    return this.scope.tracked.has(relative) || !this.both.ignores(relative);
  }

  private relative(absolutePath: string): string {
    return path.relative(this.scope.top, absolutePath).split(path.sep).join('/');
  }
}

function folderPrefix(relative: string): string {
  return relative === '' ? '' : `${relative.split(path.sep).join('/')}/`;
}

/** The folders that a path lies in. */
function foldersOf(filePath: string): string[] {
  const parts = filePath.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}
