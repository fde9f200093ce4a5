import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { systemErrorCode } from '../errors.js';
import { languageOf } from '../repository/languages.js';
import type { Definition, RepositoryFile, Survey } from '../repository/source.js';

/** A file of the repository as it is on disk now. */
export interface CurrentFile {
  readonly path: string;
  /** Without line ends; index 0 is line 1. */
  readonly lines: readonly string[];
  /** True when it differs from what was read into the memory. */
  readonly changed: boolean;
  /** The definitions of the text as it is now. */
  readonly definitions: readonly Definition[];
}

/** Outlines a text as the repository's reader does. */
export type Outline = (file: RepositoryFile, text: string) => Promise<readonly Definition[]>;

/** Why a file cannot be shown or linked to. */
export type FileProblem = 'not-read' | 'vanished' | 'outside' | 'not-a-file' | 'too-large' | 'unreadable';

/** Neither follows a link that appeared after the path was resolved, nor waits for the writer of a named pipe. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Files above this size are not re-read for an answer, whatever the survey's own limit is. */
const maxBytes = 64 << 20;

function definitionsByPath(definitions: readonly Definition[]): Map<string, Definition[]> {
  const byPath = new Map<string, Definition[]>();
  for (const definition of definitions) {
    const list = byPath.get(definition.path);
    if (list === undefined) byPath.set(definition.path, [definition]);
    else list.push(definition);
  }
  return byPath;
}

/**
 * Reads files of a surveyed repository as they are now, each once. Only paths of the survey are opened (and one that
 * the user named), and only where they lead, links resolved, inside the root: a path that a model wrote can name nothing
 * else.
 */
export class CurrentFiles {
  readonly problems = new Map<string, FileProblem>();
  /** Files that were read into the memory and are not what they were then. */
  readonly differing = new Set<string>();
  private readonly files: ReadonlyMap<string, RepositoryFile>;
  private readonly definitions: ReadonlyMap<string, readonly Definition[]>;
  private readonly cache = new Map<string, Promise<CurrentFile | undefined>>();
  private root: Promise<string> | undefined;

  /**
   * @param definitions as they were when the repository was read
   * @param also a path that may be opened though it was not read: one that the user named by selecting in its file
   */
  constructor(
    private readonly survey: Survey,
    definitions: readonly Definition[],
    private readonly outline: Outline,
    also?: string,
  ) {
    const files = new Map(survey.files.map((file) => [file.path, file]));
    if (also !== undefined && !files.has(also)) {
      files.set(also, { path: also, bytes: 0, modified: 0, hash: '', lines: 0, language: languageOf(also) });
    }
    this.files = files;
    this.definitions = definitionsByPath(definitions);
  }

  /** The file as it is now, or undefined; {@link problems} then says why. */
  read(filePath: string): Promise<CurrentFile | undefined> {
    let reading = this.cache.get(filePath);
    if (reading === undefined) {
      reading = this.open(filePath);
      this.cache.set(filePath, reading);
    }
    return reading;
  }

  /** Where a definition of the memory stands now; undefined when it is gone or its file is. */
  async locate(definition: Definition): Promise<Definition | undefined> {
    const file = await this.read(definition.path);
    if (file === undefined) return undefined;
    if (!file.changed) return definition;
    const named = file.definitions.filter((candidate) => candidate.name === definition.name);
    const sameContainer = named.filter((candidate) => candidate.container === definition.container);
    const nearest = (sameContainer.length > 0 ? sameContainer : named).toSorted(
      (a, b) => Math.abs(a.nameLine - definition.nameLine) - Math.abs(b.nameLine - definition.nameLine),
    );
    return nearest[0];
  }

  private async open(filePath: string): Promise<CurrentFile | undefined> {
    const file = this.files.get(filePath);
    if (file === undefined) return this.fail(filePath, 'not-read');
    try {
      this.root ??= realpath(this.survey.root);
      const root = await this.root;
      const real = await realpath(path.join(root, filePath));
      const relative = path.relative(root, real);
      if (relative.split(path.sep)[0] === '..' || path.isAbsolute(relative)) return this.fail(filePath, 'outside');
      const handle = await open(real, openFlags);
      try {
        const status = await handle.stat();
        if (!status.isFile()) return this.fail(filePath, 'not-a-file');
        if (status.size > maxBytes) return this.fail(filePath, 'too-large');
        return await this.parse(file, await handle.readFile());
      } finally {
        await handle.close();
      }
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      return this.fail(filePath, code === 'ENOENT' || code === 'ENOTDIR' ? 'vanished' : 'unreadable');
    }
  }

  private async parse(file: RepositoryFile, bytes: Buffer): Promise<CurrentFile> {
    const changed = createHash('sha256').update(bytes).digest('hex') !== file.hash;
    if (changed && file.hash !== '') this.differing.add(file.path);
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    if (lines.length > 1 && lines.at(-1) === '') lines.pop();
    const definitions = changed ? await this.outline(file, text) : (this.definitions.get(file.path) ?? []);
    return { path: file.path, lines, changed, definitions };
  }

  private fail(filePath: string, problem: FileProblem): CurrentFile | undefined {
    this.problems.set(filePath, problem);
    if (problem === 'vanished') this.differing.add(filePath);
    return undefined;
  }
}
