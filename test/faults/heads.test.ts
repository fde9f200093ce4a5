import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isLocretError } from '../../server/errors.js';
import { readModelShape } from '../../server/model/hub-folder/config.js';
import { openRetainingHeads } from '../../server/model/retaining-heads.js';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const shape = readModelShape(path.join(fixtures, 'locret'));
const whole = readFileSync(path.join(fixtures, 'pytorch/bfloat16.bin'));
const folder = mkdtempSync(path.join(tmpdir(), 'locret-heads-'));
const file = path.join(folder, 'heads.bin');

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What opening these bytes as heads fails with. */
function refusalOf(bytes: Uint8Array): string {
  writeFileSync(file, bytes);
  try {
    openRetainingHeads(file, shape);
  } catch (error) {
    if (isLocretError(error, 'heads-corrupt')) return error.message;
    throw error;
  }
  throw new Error('these heads were opened');
}

/** A zip archive of one stored file. */
function archive(name: string, content: Buffer): Buffer {
  const title = Buffer.from(name);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(title.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt32LE(content.length, 20);
  entry.writeUInt32LE(content.length, 24);
  entry.writeUInt16LE(title.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length + title.length, 12);
  end.writeUInt32LE(local.length + title.length + content.length, 16);
  return Buffer.concat([local, title, content, entry, title, end]);
}

const pickle = (...parts: readonly (string | readonly number[])[]): Buffer =>
  archive(
    'archive/data.pkl',
    Buffer.concat(
      parts.map((part) =>
        typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(Uint8Array.from(part)),
      ),
    ),
  );

/** `whole` with a text replaced by another of the same length. */
function replaced(from: string, to: string): Buffer {
  const at = whole.indexOf(from, 0, 'latin1');
  expect(at).toBeGreaterThanOrEqual(0);
  const changed = Buffer.from(whole);
  changed.write(to, at, 'latin1');
  return changed;
}

describe('hostile PyTorch files', () => {
  it('that would run a command run nothing', () => {
    const trace = path.join(folder, 'was-run');
    const command = `touch ${trace}`;
    const message = refusalOf(pickle('\x80\x02', 'cposix\nsystem\n', '(X', [command.length, 0, 0, 0], command, 'tR.'));
    expect(message).toMatch(/"posix\.system".*nothing of it was run/);
    expect(existsSync(trace)).toBe(false);
  });

  it.each<readonly [string, Buffer, RegExp]>([
    ['a name through the newer opcode', pickle('\x80\x04\x8c\x08builtins\x8c\x04eval\x93.'), /"builtins\.eval"/],
    ['opcodes that make objects', pickle('\x80\x02(i__main__\nX\n.'), /opcode 0x69/],
    ['an extension registry', pickle('\x80\x02\x82\x01.'), /opcode 0x82/],
    ['no end', pickle('\x80\x02}'), /cut short/],
    ['an empty pickle', pickle(''), /cut short/],
    ['takes from an empty stack', pickle('\x80\x02.'), /takes what is not there/],
    ['a memo that is not there', pickle('\x80\x02h\x07.'), /takes what is not there/],
    ['a text longer than the file', pickle('\x80\x02X', [255, 255, 255, 255], 'a.'), /cut short/],
    ['a list instead of a dictionary', pickle('\x80\x02].'), /no dictionary/],
    ['an entry that is a number', pickle('\x80\x02}X', [1, 0, 0, 0], 'aK\x01s.'), /"a" that is no tensor/],
    ['an endless number', pickle('\x80\x02\x8a\xff', new Array<number>(255).fill(1), '.'), /number of 255 bytes/],
    ['a storage of integers', pickle('\x80\x02ctorch\nLongStorage\n.'), /"torch\.LongStorage"/],
    ['no pickle', archive('archive/other', Buffer.from('x')), /not one that PyTorch writes/],
    ['numbers of another byte order', replaced('little', 'middle'), /not little-endian/],
    ['a tensor of another name', replaced('layers.2.self_attn.fc2', 'layers.2.self_attn.fc9'), /has no tensor/],
  ])('with %s are refused', (_, bytes, message) => {
    expect(refusalOf(bytes)).toMatch(message);
  });

  it('that are cut anywhere are refused', () => {
    for (let length = 4; length < whole.length; length += 997) {
      expect(refusalOf(whole.subarray(0, length))).toContain('heads.bin');
    }
  });

  it('with any byte of their directory changed are refused or read, never anything else', () => {
    const end = whole.length;
    for (let at = end - 400; at < end; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      writeFileSync(file, changed);
      try {
        expect(openRetainingHeads(file, shape).width).toBe(32);
      } catch (error) {
        if (!isLocretError(error, 'heads-corrupt')) throw error;
      }
    }
  });

  it('with any byte of their pickle changed are refused or read, never anything else', () => {
    const begin = whole.indexOf('data.pkl') + 8;
    for (let at = begin; at < begin + 1200; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      writeFileSync(file, changed);
      try {
        openRetainingHeads(file, shape);
      } catch (error) {
        if (!isLocretError(error, 'heads-corrupt')) throw error;
      }
    }
  });
});
