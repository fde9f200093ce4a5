import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import type { ErrorCode } from '../../../server/contract/words.js';
import { LocretError } from '../../../server/errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

const root = mkdtempSync(path.join(tmpdir(), 'locret-model-'));
let folders = 0;

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** The folder of a fixture below test/fixtures/hf. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/hf/${name}`, import.meta.url));
}

/** A JSON object from a file. */
export function readJson(file: string): JsonObject {
  const parse: (text: string) => JsonObject = JSON.parse;
  return parse(readFileSync(file, 'utf8'));
}

/** A new folder with some files of a fixture; a file's content is text, bytes, or what becomes JSON. */
export function modelFolder(
  files: Readonly<Record<string, string | Uint8Array | object>>,
  copied: { readonly from: string; readonly names: readonly string[] } = { from: '', names: [] },
): string {
  const folder = path.join(root, `model-${folders++}`);
  mkdirSync(folder);
  for (const name of copied.names) cpSync(path.join(copied.from, name), path.join(folder, name));
  for (const [name, content] of Object.entries(files)) {
    const isData = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path.join(folder, name), isData ? content : JSON.stringify(content));
  }
  return folder;
}

/** The bytes of a safetensors file, right or wrong: a header as text or as what becomes JSON, and data behind it. */
export function safetensorsBytes(header: string | object, data: Uint8Array, declaredLength?: bigint): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(declaredLength ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** Expects a LocretError of a code whose message matches every pattern. */
export function expectRefusal(action: () => unknown, code: ErrorCode, ...patterns: readonly (string | RegExp)[]): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(LocretError);
  expect(thrown).toHaveProperty('code', code);
  for (const pattern of patterns) expect(thrown).toHaveProperty('message', expect.stringMatching(toPattern(pattern)));
}

function toPattern(pattern: string | RegExp): RegExp {
  return typeof pattern === 'string' ? new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')) : pattern;
}
