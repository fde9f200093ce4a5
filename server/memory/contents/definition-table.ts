import type { DefinitionKind } from '../../contract/words.js';
import type { Definition } from '../../repository/source.js';

/** Numbers of a definition: name, kind, path, line, endLine, nameLine, container. */
const columns = 7;
const noContainer = -1;

/**
 * Definitions as numbers, each text once: 28 bytes for a definition instead of some 200 as an object. A repository of two
 * million tokens has tens of thousands of them, and they are held as long as its memory.
 */
export class DefinitionTable implements Iterable<Definition> {
  private readonly texts: string[] = [];
  private readonly textIndices = new Map<string, number>();
  private readonly kinds: DefinitionKind[] = [];
  private numbers = new Int32Array(0);
  private count = 0;

  static of(definitions: Iterable<Definition>): DefinitionTable {
    const table = new DefinitionTable();
    table.add(definitions);
    return table;
  }

  get length(): number {
    return this.count;
  }

  add(definitions: Iterable<Definition>): void {
    for (const { name, kind, path, line, endLine, nameLine, container } of definitions) {
      const at = this.count * columns;
      if (at === this.numbers.length) this.grow();
      const inside = container === undefined ? noContainer : this.text(container);
      this.numbers.set([this.text(name), this.kind(kind), this.text(path), line, endLine, nameLine, inside], at);
      this.count += 1;
    }
  }

  *[Symbol.iterator](): Generator<Definition, void, undefined> {
    for (let at = 0; at < this.count * columns; at += columns) {
      const [name = 0, kind = 0, path = 0, line = 0, endLine = 0, nameLine = 0, container = 0] = this.numbers.subarray(
        at,
        at + columns,
      );
      yield {
        name: this.texts[name] ?? '',
        kind: this.kinds[kind] ?? 'variable',
        path: this.texts[path] ?? '',
        line,
        endLine,
        nameLine,
        container: container === noContainer ? undefined : this.texts[container],
      };
    }
  }

  toJSON(): readonly Definition[] {
    return [...this];
  }

  private text(text: string): number {
    let index = this.textIndices.get(text);
    if (index === undefined) {
      index = this.texts.push(text) - 1;
      this.textIndices.set(text, index);
    }
    return index;
  }

  private kind(kind: DefinitionKind): number {
    const index = this.kinds.indexOf(kind);
    return index < 0 ? this.kinds.push(kind) - 1 : index;
  }

  private grow(): void {
    const larger = new Int32Array(columns * Math.max(64, Math.ceil(this.count * 1.5)));
    larger.set(this.numbers);
    this.numbers = larger;
  }
}
