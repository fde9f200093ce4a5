import type { LocretError } from '../errors.js';

/** How the numbers of a storage are written. */
export type StorageType = 'F32' | 'F16' | 'BF16';

/** A tensor as PyTorch's pickle describes it: a contiguous part of a storage. */
export interface PickledTensor {
  /** Name of the file in the archive that holds the storage. */
  readonly storage: string;
  readonly type: StorageType;
  /** Index of the first number in the storage. */
  readonly offset: number;
  readonly shape: readonly number[];
}

/** What stands on the stack of the pickle: data only. */
type Item =
  | { readonly kind: 'mark' | 'other' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'list'; readonly items: Item[] }
  | { readonly kind: 'dictionary'; readonly entries: Map<string, Item> }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'storage'; readonly storage: string; readonly type: StorageType }
  | { readonly kind: 'tensor'; readonly tensor: PickledTensor };

const storageTypes: ReadonlyMap<string, StorageType> = new Map<string, StorageType>([
  ['torch FloatStorage', 'F32'],
  ['torch HalfStorage', 'F16'],
  ['torch BFloat16Storage', 'BF16'],
]);
const orderedDictionary = 'collections OrderedDict';
const tensorBuilder = 'torch._utils _rebuild_tensor_v2';
const parameterBuilder = 'torch._utils _rebuild_parameter';
const knownNames: ReadonlySet<string> = new Set([
  ...storageTypes.keys(),
  orderedDictionary,
  tensorBuilder,
  parameterBuilder,
]);
const mostItems = 1_000_000;

/** A row-major layout without gaps; axes of one element may say anything. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return shape.length === strides.length;
}

/**
 * Reads the pickle of a PyTorch checkpoint for its tensors. A pickle is a program; this one is not run: its opcodes build
 * texts, numbers, lists and dictionaries, the few names that tensors are made of stand for themselves, and any other name
 * or opcode is refused.
 */
class TensorPickle {
  private readonly view: DataView;
  private at = 0;
  private stack: Item[] = [];
  private readonly memo = new Map<number, Item>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly refuse: (what: string) => LocretError,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): ReadonlyMap<string, PickledTensor> {
    while (this.step(this.take(1)));
    const top = this.pop();
    if (top.kind !== 'dictionary') throw this.refuse('holds no dictionary of tensors');
    const tensors = new Map<string, PickledTensor>();
    for (const [name, item] of top.entries) {
      if (item.kind !== 'tensor') throw this.refuse(`has an entry "${name}" that is no tensor`);
      tensors.set(name, item.tensor);
    }
    return tensors;
  }

  /** Carries out one opcode; false at the end. */
  private step(opcode: number): boolean {
    const symbol = String.fromCharCode(opcode);
    switch (symbol) {
      case '.':
        return false;
      case '\x80': // PROTO
        this.take(1);
        return true;
      case '\x95': // FRAME
        this.take(8);
        return true;
      case '(':
        return this.push({ kind: 'mark' });
      case '}':
        return this.push({ kind: 'dictionary', entries: new Map() });
      case ']':
      case ')':
        return this.push({ kind: 'list', items: [] });
      case 't':
        return this.push({ kind: 'list', items: this.popToMark() });
      case '\x85': // TUPLE1
      case '\x86': // TUPLE2
      case '\x87': // TUPLE3
        return this.push({ kind: 'list', items: this.popSome(opcode - 0x84) });
      case 'N':
      case '\x88': // NEWTRUE
      case '\x89': // NEWFALSE
        return this.push({ kind: 'other' });
      case 'K':
        return this.push({ kind: 'number', value: this.take(1) });
      case 'M':
        return this.push({ kind: 'number', value: this.take(2) });
      case 'J':
        return this.push({ kind: 'number', value: this.take(4) | 0 });
      case '\x8a': // LONG1
        return this.push({ kind: 'number', value: this.longInteger(this.take(1)) });
      case 'X':
        return this.push({ kind: 'text', value: this.text(this.take(4)) });
      case '\x8c': // SHORT_BINUNICODE
        return this.push({ kind: 'text', value: this.text(this.take(1)) });
      case 'c':
        return this.push(this.named(this.line(), this.line()));
      case '\x93': // STACK_GLOBAL
        return this.stackName();
      case 'q':
        return this.remember(this.take(1));
      case 'r':
        return this.remember(this.take(4));
      case '\x94': // MEMOIZE
        return this.remember(this.memo.size);
      case 'h':
        return this.recall(this.take(1));
      case 'j':
        return this.recall(this.take(4));
      case 's':
        return this.setItems(this.popSome(2));
      case 'u':
        return this.setItems(this.popToMark());
      case 'Q':
        return this.push(this.storageOf(this.pop()));
      case 'R':
        return this.build();
      case 'b': {
        // The state of a dictionary is PyTorch's note about its version.
        this.pop();
        if (this.stack.at(-1)?.kind !== 'dictionary') throw this.refuse('sets the state of what is no dictionary');
        return true;
      }
      default:
        throw this.refuse(`has a pickle with opcode 0x${opcode.toString(16)}, which no file of tensors needs`);
    }
  }

  /** An unsigned number of the next bytes. */
  private take(count: 1 | 2 | 4 | 8): number {
    if (this.at + count > this.bytes.length) throw this.refuse('has a pickle that is cut short');
    const at = this.at;
    this.at += count;
    switch (count) {
      case 1:
        return this.view.getUint8(at);
      case 2:
        return this.view.getUint16(at, true);
      case 4:
        return this.view.getUint32(at, true);
      case 8:
        return Number(this.view.getBigUint64(at, true));
    }
  }

  private longInteger(length: number): number {
    if (length > 6) throw this.refuse(`has a number of ${length} bytes in its pickle`);
    let value = 0;
    for (let i = 0; i < length; i++) {
      const byte = this.take(1);
      value += (i === length - 1 && byte > 127 ? byte - 256 : byte) * 256 ** i;
    }
    return value;
  }

  private text(length: number): string {
    if (this.at + length > this.bytes.length) throw this.refuse('has a pickle that is cut short');
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw this.refuse('has a pickle that is cut short');
    const line = this.text(end - this.at);
    this.at += 1;
    return line;
  }

  private named(module: string, name: string): Item {
    const full = `${module} ${name}`;
    if (knownNames.has(full)) return { kind: 'name', name: full };
    throw this.refuse(
      `asks for ${JSON.stringify(`${module}.${name}`)}, which is no part of a tensor of float32, float16 or bfloat16; nothing of it was run`,
    );
  }

  private stackName(): boolean {
    const [module, name] = this.popSome(2);
    if (module?.kind !== 'text' || name?.kind !== 'text') throw this.refuse('asks for a name that is no text');
    return this.push(this.named(module.value, name.value));
  }

  private push(item: Item): boolean {
    if (this.stack.length >= mostItems) throw this.refuse(`has a pickle of more than ${mostItems} values`);
    this.stack.push(item);
    return true;
  }

  private pop(): Item {
    const item = this.stack.pop();
    if (item === undefined || item.kind === 'mark') throw this.refuse('has a pickle that takes what is not there');
    return item;
  }

  private popSome(count: number): Item[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  private popToMark(): Item[] {
    const mark = this.stack.findLastIndex(({ kind }) => kind === 'mark');
    if (mark < 0) throw this.refuse('has a pickle that takes what is not there');
    const items = this.stack.slice(mark + 1);
    this.stack = this.stack.slice(0, mark);
    return items;
  }

  private remember(index: number): boolean {
    const top = this.stack.at(-1);
    if (top === undefined || this.memo.size >= mostItems)
      throw this.refuse('has a pickle that takes what is not there');
    this.memo.set(index, top);
    return true;
  }

  private recall(index: number): boolean {
    const item = this.memo.get(index);
    if (item === undefined) throw this.refuse('has a pickle that takes what is not there');
    return this.push(item);
  }

  private setItems(items: readonly Item[]): boolean {
    const target = this.stack.at(-1);
    if (target?.kind !== 'dictionary' || items.length % 2 !== 0) throw this.refuse('sets entries of no dictionary');
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (key?.kind !== 'text' || value === undefined) throw this.refuse('has an entry whose name is no text');
      target.entries.set(key.value, value);
    }
    return true;
  }

  /** `('storage', type, key, place, count)` */
  private storageOf(item: Item): Item {
    const [word, type, key] = item.kind === 'list' ? item.items : [];
    const known = type?.kind === 'name' ? storageTypes.get(type.name) : undefined;
    if (word?.kind !== 'text' || word.value !== 'storage' || known === undefined || key?.kind !== 'text') {
      throw this.refuse('refers to what is no storage of numbers');
    }
    return { kind: 'storage', storage: key.value, type: known };
  }

  /** Puts together what a name and its arguments stand for. */
  private build(): boolean {
    const [what, given] = this.popSome(2);
    if (what?.kind !== 'name' || given?.kind !== 'list') throw this.refuse('has a pickle that calls what is no name');
    const [first] = given.items;
    switch (what.name) {
      case orderedDictionary:
        if (given.items.length > 0) throw this.refuse('has a dictionary that is made of something else');
        return this.push({ kind: 'dictionary', entries: new Map() });
      case parameterBuilder:
        if (first?.kind !== 'tensor') throw this.refuse('has a parameter that is no tensor');
        return this.push(first);
      case tensorBuilder:
        return this.push({ kind: 'tensor', tensor: this.tensorOf(given.items) });
      default:
        throw this.refuse(`calls ${JSON.stringify(what.name)}, which is no tensor`);
    }
  }

  /** `(storage, offset, shape, strides, …)` */
  private tensorOf([storage, offset, shape, strides]: readonly Item[]): PickledTensor {
    const numbers = (item: Item | undefined): number[] =>
      item?.kind === 'list' ? item.items.map((one) => (one.kind === 'number' ? one.value : NaN)) : [NaN];
    const sizes = numbers(shape);
    const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
    if (storage?.kind !== 'storage' || offset?.kind !== 'number' || ![offset.value, ...sizes].every(isWhole)) {
      throw this.refuse('has a tensor without a storage, an offset and a shape');
    }
    if (!isContiguous(sizes, numbers(strides))) {
      throw this.refuse(`has a tensor of shape [${sizes.join(', ')}] whose numbers do not follow one another`);
    }
    return { storage: storage.storage, type: storage.type, offset: offset.value, shape: sizes };
  }
}

/**
 * The tensors of a PyTorch checkpoint's `data.pkl`, by name.
 * @param refuse makes the error of a file that holds anything but named tensors
 */
export function readPickledTensors(
  pickle: Uint8Array,
  refuse: (what: string) => LocretError,
): ReadonlyMap<string, PickledTensor> {
  return new TensorPickle(pickle, refuse).read();
}
