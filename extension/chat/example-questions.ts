import type { CoverageResult, DefinitionAtResult } from '../../server/contract/protocol.js';
import type { Localization } from '../text/localization.js';

/** What example questions are made from. */
export interface ExampleSources {
  readonly coverage: () => Promise<CoverageResult>;
  /** The innermost definition around a line of a file. */
  readonly definitionAt: (path: string, line: number) => Promise<DefinitionAtResult | null>;
}

const mostQuestions = 3;
/** Files that are looked into, and lines of each: a bound on requests. */
const mostFiles = 12;
const probedLines = [12, 30, 60, 110, 180, 280];
/** Tokens of a file that is likely to hold something worth asking about. */
const usualTokens = { least: 150, most: 30_000 };
const sourceFile = /\.(?:[cm]?[jt]sx?|py|go|rs|java|kt|cs|c|cc|cpp|h|hpp|rb|php|swift|scala)$/i;
const unlikely =
  /(?:^|\/)(?:tests?|specs?|__tests__|fixtures?|examples?|vendor|bench(?:marks?)?|scripts?)\/|[._-](?:test|spec|d)\.[^/]+$/i;
const shortestName = 5;

type Named = DefinitionAtResult & { readonly path: string };

/**
 * Questions that fit a repository, made from names that are defined in it, without a model. Fewer or none where few
 * names are found.
 */
export async function exampleQuestions(sources: ExampleSources, l10n: Localization): Promise<string[]> {
  const { read } = await sources.coverage();
  const found: Named[] = [];
  for (const path of likelyFiles(read)) {
    const definition = await firstDefinition(sources, path, found);
    if (definition !== undefined) found.push({ ...definition, path });
    if (found.length === mostQuestions) break;
  }
  return questionsAbout(found, l10n);
}

/** Source files, the larger ones of each folder first, folder by folder in turn. */
function likelyFiles(read: CoverageResult['read']): string[] {
  const folders = new Map<string, { path: string; tokens: number }[]>();
  for (const { path, tokens } of read) {
    const isUsual = tokens >= usualTokens.least && tokens <= usualTokens.most;
    if (!isUsual || !sourceFile.test(path) || unlikely.test(path)) continue;
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const files = folders.get(folder);
    if (files === undefined) folders.set(folder, [{ path, tokens }]);
    else files.push({ path, tokens });
  }
  const bySize = [...folders.values()]
    .map((files) => files.sort((a, b) => b.tokens - a.tokens))
    .sort((a, b) => b.length - a.length);
  const paths: string[] = [];
  for (let rank = 0; paths.length < mostFiles; rank++) {
    const atRank = bySize.flatMap((files) => files[rank] ?? []);
    if (atRank.length === 0) break;
    paths.push(...atRank.map(({ path }) => path));
  }
  return paths.slice(0, mostFiles);
}

async function firstDefinition(
  sources: ExampleSources,
  path: string,
  found: readonly Named[],
): Promise<DefinitionAtResult | undefined> {
  const wanted = wantedKinds[found.length] ?? anyKind;
  for (const line of probedLines) {
    const definition = await sources.definitionAt(path, line);
    if (definition === null || definition.name.length < shortestName || !/^[\w$]+$/.test(definition.name)) continue;
    const isNew = !found.some(({ name }) => name === definition.name);
    if (isNew && wanted.includes(definition.kind)) return definition;
  }
  return undefined;
}

const anyKind: readonly string[] = ['function', 'method', 'class', 'interface', 'type', 'enum', 'constant'];
/** The second question asks for parameters. */
const wantedKinds: readonly (readonly string[])[] = [anyKind, ['function', 'method'], anyKind];

function questionsAbout(found: readonly Named[], l10n: Localization): string[] {
  const ask = [
    (name: string): string => l10n.t('Where is `{0}` defined?', name),
    (name: string): string => l10n.t('What are the parameters of `{0}`?', name),
    (name: string): string => l10n.t('What does `{0}` do?', name),
  ];
  return found.flatMap(({ name }, index) => ask[index]?.(name) ?? []);
}
