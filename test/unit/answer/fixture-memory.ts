import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ChangedFile } from '../../../server/contract/contents.js';
import type { DefinitionKind } from '../../../server/contract/words.js';
import type { RepositoryMemory, SourcePosition } from '../../../server/memory/contents/memory.js';
import type { LoadedModel } from '../../../server/model/model.js';
import type { Definition, RepositoryFile } from '../../../server/repository/source.js';
import { characterTokenizer, endOfTurn } from './character-tokenizer.js';
import { ScriptedEngine, shape } from './scripted-engine.js';

const pattern = /^( *)(?:export )?(?:(class|interface|function|const) (\w+)|(\w+)\(.*\) \{)/;

/** Definitions of TypeScript that is written one definition after the other, each ending at its own indentation. */
export function outlineOf(filePath: string, text: string): Definition[] {
  const lines = text.split('\n');
  const definitions: Definition[] = [];
  lines.forEach((line, i) => {
    const match = pattern.exec(line);
    if (match === null) return;
    const [, indent = '', keyword, named, method] = match;
    const oneLine = keyword === 'const' || line.trimEnd().endsWith('}');
    const closing = lines.findIndex((other, j) => j > i && other.startsWith(`${indent}}`));
    let begin = i;
    while (/^ *(?:\/\*\*| \*|\/\/)/.test(lines[begin - 1] ?? '')) begin -= 1;
    const container = indent === '' ? undefined : definitions.findLast((other) => other.kind === 'class')?.name;
    const kind: DefinitionKind =
      keyword === undefined
        ? 'method'
        : keyword === 'const'
          ? 'constant'
          : keyword === 'class'
            ? 'class'
            : keyword === 'interface'
              ? 'interface'
              : 'function';
    definitions.push({
      name: named ?? method ?? '',
      kind,
      path: filePath,
      line: begin + 1,
      endLine: (oneLine || closing < 0 ? i : closing) + 1,
      nameLine: i + 1,
      container,
    });
  });
  return definitions;
}

export interface FixtureMemory {
  readonly memory: RepositoryMemory;
  readonly engine: ScriptedEngine;
  readonly root: string;
  /** Token index of the first occurrence of a text in a file of the memory. */
  tokenOf(filePath: string, text: string): number;
  write(filePath: string, text: string): Promise<void>;
  setChanged(changed: readonly ChangedFile[]): void;
  remove(): Promise<void>;
}

/** A repository on disk and its memory in a scripted engine, one token per character. */
export async function fixtureMemory(
  sources: Readonly<Record<string, string>>,
  options: { readonly room?: number; readonly repositoryTokens?: boolean; readonly model?: Partial<LoadedModel> } = {},
): Promise<FixtureMemory> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'locret-answer-'));
  const write = async (filePath: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(root, filePath)), { recursive: true });
    await writeFile(path.join(root, filePath), text);
  };
  const tokenizer = characterTokenizer(options.repositoryTokens ?? true);
  const tokens: number[] = tokenizer.encode('<|repo_name|>fixture\n');
  const files: { file: RepositoryFile; begin: number; end: number; textBegin: number; text: string }[] = [];
  for (const [filePath, text] of Object.entries(sources)) {
    await write(filePath, text);
    const begin = tokens.length;
    tokens.push(...tokenizer.encode(`<|file_sep|>${filePath}\n`));
    const textBegin = tokens.length;
    tokens.push(...tokenizer.encode(text));
    const hash = createHash('sha256').update(text).digest('hex');
    const language = filePath.endsWith('.ts') ? 'typescript' : undefined;
    const lines = text.split('\n').length;
    const file = { path: filePath, bytes: text.length, modified: 0, hash, lines, language };
    files.push({ file, begin, end: tokens.length, textBegin, text });
  }
  const capacity = tokens.length + (options.room ?? 100_000);
  const engine = new ScriptedEngine({ budget: tokens.length, chunk: 4096, stabilizers: 0, pinned: 0, capacity });
  engine.cache = [...tokens];
  const model: LoadedModel = {
    place: '',
    name: 'scripted',
    shape,
    tokenizer,
    template: {
      supportsSystem: true,
      render: (messages, { addGenerationPrompt }) =>
        messages
          .map(({ role, content }) => (role === 'system' ? content : `<|im_start|>${role}\n${content}<|im_end|>\n`))
          .join('') + (addGenerationPrompt ? '<|im_start|>assistant\n' : ''),
    },
    generation: { stopTokens: [endOfTurn] },
    locret: { instructions: '', attention: true },
    ...options.model,
  };
  let changed: readonly ChangedFile[] = [];
  let known: readonly ChangedFile[] = [];
  const definitions = Object.entries(sources).flatMap(([filePath, text]) =>
    filePath.endsWith('.ts') ? outlineOf(filePath, text) : [],
  );
  const memory: RepositoryMemory = {
    engine,
    model,
    survey: { root, name: 'fixture', files: files.map(({ file }) => file), skipped: [], bytes: 0 },
    files: files.map(({ file, begin, end }) => ({ file, begin, end })),
    definitions,
    tokensRead: tokens.length,
    seconds: 1.5,
    source: 'read',
    locate: (tokenIndex): SourcePosition | undefined => {
      const inside = files.find(({ begin, end }) => begin <= tokenIndex && tokenIndex < end);
      if (inside === undefined) return undefined;
      const before = inside.text.slice(0, Math.max(0, tokenIndex - inside.textBegin)).split('\n');
      return { path: inside.file.path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    },
    coverage: () => ({ filesRead: files.length, tokensRead: tokens.length, skipped: [], changed: known }),
    detectChanges: () => Promise.resolve((known = changed)),
    changesMissed: () => Promise.resolve(),
    retention: () => Promise.resolve([]),
    lineRetention: () => Promise.resolve(new Float32Array(0)),
  };
  return {
    memory,
    engine,
    root,
    tokenOf: (filePath, text) => {
      const inside = files.find(({ file }) => file.path === filePath);
      const at = inside?.text.indexOf(text) ?? -1;
      if (inside === undefined || at < 0) throw new Error(`${filePath} has no ${text}`);
      return inside.textBegin + at;
    },
    write,
    setChanged: (files) => {
      changed = files;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** A small project in several files, with names that are alike. */
export const project = {
  'README.md': '# Fixture\n\nKeeps the best units.\n',
  'src/eviction.ts': [
    "import { order } from './order.js';",
    '',
    '/** Keeps the best units. */',
    'export function retainTopUnits(scores: number[], budget: number) {',
    '  return order(scores).slice(0, budget);',
    '}',
    '',
    'export const EVICTION_MARGIN = 0.25;',
    '',
  ].join('\n'),
  'src/order.ts': [
    '/** Sorts downwards. */',
    'export function order(values: number[]) {',
    '  return values.toSorted((a, b) => b - a);',
    '}',
    '',
  ].join('\n'),
  'src/store.ts': [
    'export class SnapshotStore {',
    '  /** Opens it. */',
    '  open(path: string) {',
    '    return path;',
    '  }',
    '  close(force: boolean) {',
    '    return force;',
    '  }',
    '}',
    '',
    'export class Channel {',
    '  close(reason: string) {',
    '    return reason;',
    '  }',
    '}',
    '',
  ].join('\n'),
  'test/eviction.test.ts': ['function retainTopUnits() {', '  return 0;', '}', ''].join('\n'),
} as const;
