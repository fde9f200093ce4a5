import { Tokenizer } from '@huggingface/tokenizers';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GgufTensor, GgufValue } from '../../../../bench/gguf.js';
import { isLocretError } from '../../../../server/errors.js';
import { readGgufChatTemplate, readGgufGeneration, readGgufSpecialTokens } from '../../../../server/model/gguf/chat.js';
import { encodingNamed } from '../../../../server/model/gguf/encoding.js';
import { openGgufCheckpoint } from '../../../../server/model/gguf/gguf-checkpoint.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import { readGgufShape } from '../../../../server/model/gguf/model-shape.js';
import { readGgufTokenizer } from '../../../../server/model/gguf/tokenizer-definition.js';
import { readVocabulary } from '../../../../server/model/gguf/vocabulary.js';
import { bytesOf, fileOf, tensor, type GgufContent } from './gguf-files.js';
import { mutationsOf, type Mutation } from './mutations.js';
import { bool, reference, string, strings, uint32 } from './tokenizer-contents.js';

/**
 * How many mutated files each model is tried with. By command, more:
 * `LOCRET_MUTATIONS=4000 npx vitest run test/unit/model/gguf/fuzz.test.ts`, with `LOCRET_SEED` others.
 */
const COUNT = Number(process.env['LOCRET_MUTATIONS'] ?? 150);
const SEED = Number(process.env['LOCRET_SEED'] ?? 1);
/** Most bytes that the process may grow by. */
const GROWTH_LIMIT = 1024 * 1024 * 1024;

const HIDDEN = 256;

/** A tensor of blocks whose numbers are finite. */
function blocks(name: string, dimensions: readonly number[], encoding: string): GgufTensor {
  const known = encodingNamed(encoding)?.encoding;
  const numbers = dimensions.reduce((product, size) => product * size, 1);
  if (known === undefined) throw new Error(`no encoding ${encoding}`);
  const bytes = new Uint8Array((numbers / known.blockLength) * known.blockBytes).map((_, at) => (at * 31 + 7) % 59);
  return tensor(name, dimensions, encoding, bytes);
}

function model(
  architecture: string,
  tokenizer: ReadonlyMap<string, GgufValue>,
  more: readonly GgufTensor[],
): GgufContent {
  const count = tokenizer.get('tokenizer.ggml.tokens');
  const vocabulary = count?.type === 'list' ? count.value.length : 0;
  const key = (name: string): string => `${architecture}.${name}`;
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', string(architecture)],
    ['general.name', string('A model')],
    [key('context_length'), uint32(512)],
    [key('embedding_length'), uint32(HIDDEN)],
    [key('block_count'), uint32(1)],
    [key('feed_forward_length'), uint32(256)],
    [key('attention.head_count'), uint32(4)],
    [key('attention.head_count_kv'), uint32(2)],
    [key('attention.layer_norm_rms_epsilon'), { type: 'float32', value: 1e-5 }],
    [key('rope.dimension_count'), uint32(64)],
    [key('rope.freq_base'), { type: 'float32', value: 10000 }],
    ...tokenizer,
    ['tokenizer.chat_template', string('{% for m in messages %}{{ m.content }}{% endfor %}')],
  ]);
  const tensors = [
    blocks('token_embd.weight', [HIDDEN, vocabulary], 'Q4_0'),
    blocks('output_norm.weight', [HIDDEN], 'F32'),
    blocks('blk.0.attn_norm.weight', [HIDDEN], 'F32'),
    blocks('blk.0.ffn_norm.weight', [HIDDEN], 'F32'),
    blocks('blk.0.attn_output.weight', [HIDDEN, HIDDEN], 'Q4_0'),
    blocks('blk.0.ffn_down.weight', [256, HIDDEN], 'Q6_K'),
    ...more,
  ];
  return { metadata, tensors };
}

function byteLevel(): ReadonlyMap<string, GgufValue> {
  const { tokens, merges } = reference.byteLevel;
  const kept = [...tokens.slice(0, 290), '<|im_end|>'];
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string('qwen2')],
    ['tokenizer.ggml.tokens', strings(kept)],
    ['tokenizer.ggml.token_type', { type: 'list', of: 'int32', value: kept.map((_, id) => (id < 290 ? 1 : 3)) }],
    ['tokenizer.ggml.merges', strings(merges.slice(0, 34).map((pair) => pair.join(' ')))],
    ['tokenizer.ggml.eos_token_id', uint32(290)],
    ['tokenizer.ggml.add_bos_token', bool(false)],
  ]);
}

function sentencePiece(): ReadonlyMap<string, GgufValue> {
  const { tokens, types, scores } = reference.sentencePiece;
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.tokens', strings(tokens.slice(0, 300))],
    ['tokenizer.ggml.token_type', { type: 'list', of: 'int32', value: types.slice(0, 300) }],
    ['tokenizer.ggml.scores', { type: 'list', of: 'float32', value: scores.slice(0, 300) }],
    ['tokenizer.ggml.bos_token_id', uint32(1)],
    ['tokenizer.ggml.eos_token_id', uint32(2)],
  ]);
}

const apart = ['attn_q', 'attn_k', 'attn_v', 'ffn_gate', 'ffn_up'];
const rowsOf = (name: string): number => (name === 'attn_k' || name === 'attn_v' ? 128 : 256);
const MODELS: Readonly<Record<string, GgufContent>> = {
  llama: model('llama', sentencePiece(), [
    ...apart.map((name) => blocks(`blk.0.${name}.weight`, [HIDDEN, rowsOf(name)], 'Q4_K')),
    blocks('output.weight', [HIDDEN, 300], 'Q8_0'),
    blocks('rope_freqs.weight', [32], 'F16'),
  ]),
  qwen2: model('qwen2', byteLevel(), [
    ...apart.map((name) => blocks(`blk.0.${name}.weight`, [HIDDEN, rowsOf(name)], 'F16')),
    ...apart.slice(0, 3).map((name) => blocks(`blk.0.${name}.bias`, [rowsOf(name)], 'F32')),
  ]),
  phi3: model('phi3', sentencePiece(), [
    blocks('blk.0.attn_qkv.weight', [HIDDEN, 512], 'Q5_K'),
    blocks('blk.0.ffn_up.weight', [HIDDEN, 512], 'Q5_0'),
  ]),
};

/** Everything that is read of a file, each part as text that tells it from others. */
interface Loaded {
  readonly metadata: ReadonlyMap<string, string>;
  /** Place, dimensions and encoding of each tensor. */
  readonly table: ReadonlyMap<string, string>;
  /** What each tensor holds. */
  readonly numbers: ReadonlyMap<string, string>;
  readonly shape: string;
  readonly tokenizer: string;
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const show = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return String(item);
    return ArrayBuffer.isView(item) ? Array.from(new Uint8Array(item.buffer)) : item;
  });

/** Metadata that may get another name without a change of what is computed or encoded. */
const IDLE = /^general\.name$/;

/** Opens a file in every way the program does, and reads all of it. */
function load(path: string): Loaded {
  const file = GgufFile.open(path);
  try {
    const shape = readGgufShape(file);
    const checkpoint = openGgufCheckpoint(file, shape);
    const vocabulary = readVocabulary(file.metadata, shape.vocabulary);
    const { definition } = readGgufTokenizer(file.metadata, vocabulary);
    const tokenizer = new Tokenizer(definition, {});
    const special = readGgufSpecialTokens(file.metadata, vocabulary);
    const generation = readGgufGeneration(file.metadata, vocabulary);
    const template = readGgufChatTemplate(file.metadata);
    const ids = tokenizer.encode('def größe(x): return "日本" # 12\n').ids;
    for (const matrix of [checkpoint.embedding, checkpoint.languageHead, checkpoint.linear(0, 'query')]) matrix.read();
    const tensors = [...file.tensors.values()];
    return {
      metadata: new Map(Array.from(file.metadata.values, ([key, value]) => [key, show(value)])),
      table: new Map(
        tensors.map(({ name, ...entry }) => [
          name,
          show([entry.dimensions, entry.encoding.name, entry.begin, entry.end]),
        ]),
      ),
      numbers: new Map(tensors.map((entry) => [entry.name, digest(file.readBytes(entry, 0, entry.end - entry.begin))])),
      shape: show(shape),
      tokenizer: show([definition, ids, [...special], generation, template]),
    };
  } finally {
    file.close();
  }
}

/** The names of which the values differ, also those that only one has. */
function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name));
}

/** Where each piece of metadata and each tensor's description begins in the bytes of a file, in order. */
function placesOf(bytes: Buffer, { metadata, tensors }: GgufContent): (readonly [begin: number, name: string])[] {
  let from = 24;
  return [...metadata.keys(), ...tensors.map(({ name }) => name)].map((name) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(name)));
    const begin = bytes.indexOf(Buffer.concat([length, Buffer.from(name)]), from);
    from = begin + 8;
    return [begin, name] as const;
  });
}

describe.each(Object.entries(MODELS))('a mutated file of a %s model', (_, content) => {
  const original = bytesOf(content);
  const intact = load(fileOf(original));
  const places = placesOf(original, content);
  const headerEnd = Math.min(...Array.from(intact.table.values(), (entry) => Number(/(\d+),\d+\]$/.exec(entry)?.[1])));

  /** The names whose description or value in the header was overwritten. */
  const touched = ({ overwritten }: Mutation): ReadonlySet<string> =>
    new Set(
      places.flatMap(([begin, name], index) => {
        const end = places[index + 1]?.[0] ?? headerEnd;
        return (overwritten ?? []).some(([from, to]) => from < end && to > begin) ? [name] : [];
      }),
    );

  it('is refused, or read as what stands in it, and nothing else changes', { timeout: 3_600_000 }, () => {
    const before = process.memoryUsage.rss();
    let refused = 0;
    for (const mutation of mutationsOf(original, headerEnd, COUNT, SEED)) {
      const path = fileOf(mutation.bytes, 'mutated.gguf');
      let loaded: Loaded;
      try {
        loaded = load(path);
      } catch (error) {
        if (!isLocretError(error) && !isLibraryRefusal(error))
          throw new Error(`${mutation.name} crashes`, { cause: error });
        refused++;
        continue;
      }
      const changed = touched(mutation);
      // Names are not shown with the mutated text, which may be another.
      const strange = [...differing(intact.metadata, loaded.metadata), ...differing(intact.table, loaded.table)].filter(
        (name) => !changed.has(name) && (intact.metadata.has(name) || intact.table.has(name)),
      );
      expect([mutation.name, strange]).toEqual([mutation.name, []]);
      expect(loaded.metadata.size).toBe(intact.metadata.size);
      // A name that is lost must not leave a default in its place.
      const lost = [...intact.metadata.keys()].filter((key) => !loaded.metadata.has(key) && !IDLE.test(key));
      expect([mutation.name, lost]).toEqual([mutation.name, []]);
      expect([...loaded.table.keys()]).toEqual([...intact.table.keys()]);
      for (const name of differing(intact.numbers, loaded.numbers)) {
        const [begin = 0, end = 0] =
          /(\d+),(\d+)\]$/
            .exec(intact.table.get(name) ?? '')
            ?.slice(1)
            .map(Number) ?? [];
        const hit = mutation.overwritten?.some(([from, to]) => from < end && to > begin) ?? false;
        expect([mutation.name, name, hit]).toEqual([mutation.name, name, true]);
      }
      const inMetadata = (names: RegExp): boolean => [...changed].some((name) => names.test(name));
      if (
        !inMetadata(/^(general|llama|qwen2|phi3)\./) &&
        intact.numbers.get('rope_freqs.weight') === loaded.numbers.get('rope_freqs.weight')
      ) {
        expect([mutation.name, loaded.shape]).toEqual([mutation.name, intact.shape]);
      }
      if (!inMetadata(/^(general|tokenizer)\./)) {
        expect([mutation.name, loaded.tokenizer]).toEqual([mutation.name, intact.tokenizer]);
      }
    }
    expect(refused).toBeGreaterThan(COUNT / 4);
    expect(process.memoryUsage.rss() - before).toBeLessThan(GROWTH_LIMIT);
  });
});

/** What the tokenizers package itself refuses; `openTokenizer` turns it into a LocretError. */
function isLibraryRefusal(error: unknown): boolean {
  return error instanceof Error && (error.stack?.split('\n')[1] ?? '').includes('@huggingface/tokenizers');
}
