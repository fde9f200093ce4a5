import { outlineSource } from '../server/repository/outline.js';
import type { RepositoryFile } from '../server/repository/source.js';

/*
 * What the search is compared with: BM25 over definitions with identifiers split into words, files ranked by their best
 * definition, and nothing else. Written apart from the search, so that neither profits from the other's changes.
 */

const emptyWords = new Set(
  `the a an of in is to and or that which what how why where does do did for by with on from as it its be are was were this
  these those when between into than then at if not can should would could has have had will so such via per each all any
  other there their them they both more most only also through during while within without across using use used`.split(
    /\s+/,
  ),
);
const endings = ['ization', 'izations', 'ations', 'ation', 'ings', 'ing', 'ers', 'er', 'ies', 'ed', 'es', 's'];
const saturation = 1.2;
const lengthShare = 0.75;
/** Lines of a class and of a file that stand for it; bytes of a text without definitions. */
const classLines = 26;
const headLines = 40;
const textLength = 4_000;

function stem(word: string): string {
  const ending = endings.find((each) => word.endsWith(each) && word.length - each.length >= 4);
  return ending === undefined ? word : word.slice(0, -ending.length);
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/[A-Za-z][A-Za-z0-9]*/g)) {
    const parts = word.match(/[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
    words.push(...parts.map((part) => stem(part.toLowerCase())));
    if (parts.length > 1) words.push(word.toLowerCase());
  }
  return words.filter((word) => word.length > 1 && !emptyWords.has(word));
}

interface Document {
  readonly path: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

function documentOf(path: string, text: string): Document {
  const words = wordsOf(`${path.replaceAll('/', ' ')} ${text}`);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return { path, counts, length: words.length };
}

/** Plain BM25 over the definitions of a repository. */
export class PlainBm25 {
  private readonly documents: Document[] = [];
  private readonly frequencies = new Map<string, number>();

  async add(file: RepositoryFile, text: string): Promise<void> {
    const definitions = await outlineSource(file, text);
    const lines = text.split('\n');
    const texts = definitions
      .filter(({ kind }) => ['function', 'method', 'class', 'interface'].includes(kind))
      .map(({ name, kind, line, endLine, container }) => {
        const end = kind === 'class' ? Math.min(endLine, line + classLines - 1) : endLine;
        return `${container ?? ''} ${name}\n${lines.slice(line - 1, end).join('\n')}`;
      });
    texts.push(definitions.length > 0 ? lines.slice(0, headLines).join('\n') : text.slice(0, textLength));
    for (const each of texts) {
      const document = documentOf(file.path, each);
      this.documents.push(document);
      for (const word of document.counts.keys()) this.frequencies.set(word, (this.frequencies.get(word) ?? 0) + 1);
    }
  }

  /** The files that fit a question best. */
  find(question: string, most: number): string[] {
    const { documents, frequencies } = this;
    const mean = documents.reduce((sum, { length }) => sum + length, 0) / documents.length;
    const scores = new Map<string, number>();
    const words = new Set(wordsOf(question));
    for (const { path, counts, length } of documents) {
      let score = 0;
      for (const word of words) {
        const count = counts.get(word);
        if (count === undefined) continue;
        const found = frequencies.get(word) ?? 0;
        const idf = Math.log(1 + (documents.length - found + 0.5) / (found + 0.5));
        const share = 1 - lengthShare + (lengthShare * length) / mean;
        score += (idf * count * (saturation + 1)) / (count + saturation * share);
      }
      if (score > (scores.get(path) ?? 0)) scores.set(path, score);
    }
    return [...scores]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([path]) => path);
  }
}
