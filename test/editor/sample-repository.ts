import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const things = [
  'apple',
  'basket',
  'cellar',
  'crate',
  'farmer',
  'frost',
  'harvest',
  'ladder',
  'orchard',
  'press',
  'season',
];

export interface SampleOptions {
  /** Name of the folder. */
  readonly name?: string;
  /** Functions in every file: 4 make a repository that is read at once, 120 one that takes a while. */
  readonly functionsPerFile?: number;
}

/** Where something is defined; the line is 1-based. */
export interface Place {
  readonly path: string;
  readonly line: number;
}

const capitalized = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

function storeSource(thing: string, functions: number): string {
  const type = capitalized(thing);
  const counters = Array.from(
    { length: functions },
    (_, index) => `
/** Counts every ${thing} that was stored in row ${index}, without those that were given away. */
export function count${type}Row${index}(stored: readonly ${type}[], limit: number): number {
  return stored.filter((one) => one.row === ${index} && !one.given).slice(0, limit).length;
}
`,
  );
  return `import { ledger } from '../ledger.js';

/** A ${thing} as the ledger knows it. */
export interface ${type} {
  readonly row: number;
  readonly weight: number;
  readonly given: boolean;
}

/** Keeps every ${thing} of a year. */
export class ${type}Store {
  private readonly stored: ${type}[] = [];

  /** Adds one ${thing} and writes it into the ledger. */
  add${type}(one: ${type}): void {
    this.stored.push(one);
    ledger.write('${thing}', one.weight);
  }

  /** The heaviest ${thing}; undefined while there is none. */
  heaviest${type}(): ${type} | undefined {
    return this.stored.reduce<${type} | undefined>((best, one) => (best && best.weight > one.weight ? best : one), undefined);
  }
}
${counters.join('')}`;
}

function reportSource(thing: string, functions: number): string {
  const sums = Array.from(
    { length: functions },
    (_, index) => `

def sum_${thing}_week_${index}(rows, factor=1.0):
    """Add up the weights of week ${index} for every ${thing}, times a factor."""
    return sum(row["weight"] * factor for row in rows if row["week"] == ${index})
`,
  );
  return `"""Reports about every ${thing} of a year."""

import csv

MAX_${thing.toUpperCase()}_WEIGHT = ${thing.length * 100}


class ${capitalized(thing)}Report:
    """A table with one row for each ${thing}."""

    def __init__(self, title):
        self.title = title
        self.rows = []

    def read_${thing}_rows(self, file_name):
        """Read the rows from a file with comma separated values."""
        with open(file_name, newline="") as file:
            self.rows = list(csv.DictReader(file))
        return len(self.rows)
${sums.join('')}`;
}

const ledgerSource = `/** One line of the ledger. */
export interface LedgerLine {
  readonly kind: string;
  readonly weight: number;
}

/** Opens the ledger of a year; an unknown year has an empty one. */
export function openLedger(year: number): LedgerLine[] {
  return year > 1900 ? [] : [];
}

export const ledger = {
  lines: openLedger(2024),
  /** Writes one line at the end. */
  write(kind: string, weight: number): void {
    this.lines.push({ kind, weight });
  },
};
`;

/** A small repository in TypeScript and Python, under git, in a temporary folder of its own. */
export class SampleRepository {
  private constructor(
    private readonly parent: string,
    /** Absolute. */
    readonly folder: string,
  ) {}

  /** Writes the files and commits them. */
  static async create({ name = 'orchard', functionsPerFile = 4 }: SampleOptions = {}): Promise<SampleRepository> {
    const parent = await mkdtemp(path.join(tmpdir(), 'locret-sample-'));
    const sample = new SampleRepository(parent, path.join(parent, name));
    await sample.write(
      'README.md',
      `# ${name}\n\nKeeps the books of an orchard: what was stored, by whom, and what it weighed.\n`,
    );
    await sample.write('package.json', `{ "name": "${name}", "type": "module", "private": true }\n`);
    await sample.write('.gitignore', 'node_modules/\nbuild/\n');
    await sample.write('build/generated.js', 'export const ignored = true;\n');
    await sample.write('src/ledger.ts', ledgerSource);
    for (const thing of things) {
      await sample.write(`src/${thing}/${thing}-store.ts`, storeSource(thing, functionsPerFile));
      await sample.write(`reports/${thing}_report.py`, reportSource(thing, functionsPerFile));
    }
    await sample.git('init', '--quiet', '--initial-branch=main');
    await sample.git('add', '.');
    await sample.git('-c', 'user.name=Test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '-m', 'Begin');
    return sample;
  }

  private async git(...argv: string[]): Promise<void> {
    await promisify(execFile)('git', argv, { cwd: this.folder });
  }

  read(file: string): Promise<string> {
    return readFile(path.join(this.folder, file), 'utf8');
  }

  /** Writes a file as another program would. */
  async write(file: string, text: string): Promise<void> {
    const place = path.join(this.folder, file);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, text);
  }

  /**
   * Where a text stands first in a file.
   *
   * @throws Error when it does not
   */
  async placeOf(file: string, text: string): Promise<Place> {
    const line = (await this.read(file)).split('\n').findIndex((candidate) => candidate.includes(text)) + 1;
    if (line === 0) throw new Error(`${file} has no line with ${text}.`);
    return { path: file, line };
  }

  async remove(): Promise<void> {
    await rm(this.parent, { recursive: true, force: true });
  }
}
