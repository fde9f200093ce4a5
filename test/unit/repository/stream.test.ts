import { createHash } from 'node:crypto';
import { mkdir, rename, rm, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SkippedFile } from '../../../server/contract/contents.js';
import type { RepositoryFile, Survey } from '../../../server/repository/source.js';
import { streamRepository, type Segment, type StreamOptions } from '../../../server/repository/stream.js';
import { surveyRepository } from '../../../server/repository/survey.js';
import { plainForm, repositoryTokenForm } from '../../../server/repository/text-form.js';
import { options, temporaryFolder, writeFiles } from './temporary-folder.js';

async function surveyOfFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<Survey> {
  const root = await temporaryFolder();
  await writeFiles(root, files);
  return surveyRepository(root, { ...options, maxFileBytes: 1 << 20 });
}

interface Streamed {
  readonly segments: readonly Segment[];
  readonly text: string;
  readonly read: readonly RepositoryFile[];
  readonly skipped: readonly SkippedFile[];
}

async function stream(
  survey: Survey,
  changes: Partial<StreamOptions> = {},
  onSegment: (segment: Segment) => Promise<void> = () => Promise.resolve(),
): Promise<Streamed> {
  const segments: Segment[] = [];
  const read: RepositoryFile[] = [];
  const skipped: SkippedFile[] = [];
  const streaming = streamRepository(survey, {
    form: plainForm,
    neutralize: (text) => text,
    onFileEnd: (file) => read.push(file),
    onSkip: (file) => skipped.push(file),
    ...changes,
  });
  for await (const segment of streaming) {
    segments.push(segment);
    await onSegment(segment);
  }
  return { segments, text: segments.map((segment) => segment.text).join(''), read, skipped };
}

/** What a segment says about its place, from the file's text. */
function placeIn(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

describe('a stream', () => {
  it('writes the repository with a header for each file', async () => {
    const survey = await surveyOfFiles({ 'a.txt': 'one\ntwo\n', 'ü b/c.txt': 'three' });
    expect((await stream(survey)).text).toBe(
      '# Repository: root\n\n=== a.txt ===\none\ntwo\n\n=== ü b/c.txt ===\nthree\n',
    );
    expect((await stream(survey, { form: repositoryTokenForm })).text).toBe(
      '<|repo_name|>root\n<|file_sep|>a.txt\none\ntwo\n<|file_sep|>ü b/c.txt\nthree\n',
    );
  });

  it('keeps CRLF and drops a byte-order mark', async () => {
    const survey = await surveyOfFiles({ 'a.txt': '\uFEFFone\r\ntwo\r\n' });
    expect((await stream(survey)).segments.at(-1)).toMatchObject({ text: 'one\r\ntwo\r\n', line: 1, column: 1 });
  });

  it('tells where each segment begins: at line ends, within long lines, never within a character', async () => {
    const text = [
      'short\r\n'.repeat(20_000),
      'é'.repeat(70_001),
      `${'😀'.repeat(80_000)}\n`,
      `x${'😀'.repeat(40_000)}\r\n`,
      'end',
    ].join('\n');
    const { segments, read } = await stream(await surveyOfFiles({ 'a.txt': text }));
    let index = 0;
    for (const segment of segments.slice(2)) {
      expect(segment.text.length).toBeLessThanOrEqual(65_536);
      expect(Buffer.from(segment.text).toString()).toBe(segment.text);
      expect({ line: segment.line, column: segment.column }).toEqual(placeIn(text, index));
      expect(text.startsWith(segment.text, index) || segment === segments.at(-1)).toBe(true);
      index += segment.text.length;
    }
    expect(
      segments
        .slice(2)
        .map((segment) => segment.text)
        .join(''),
    ).toBe(`${text}\n`);
    expect(read[0]?.lines).toBe(text.split('\n').length);
  });

  it('neutralizes text, paths and the name, and keeps names in one line', async () => {
    const survey = await surveyOfFiles({ 'a<|x|>\nb.txt': 'say <|x|>\n' });
    const { text } = await stream(
      { ...survey, name: 'r<|x|>' },
      { neutralize: (part) => part.replaceAll('<|', '< |'), form: repositoryTokenForm },
    );
    expect(text).toBe('<|repo_name|>r< |x|>\n<|file_sep|>a< |x|>\uFFFDb.txt\nsay < |x|>\n');
  });

  it('reports each file as it was read', async () => {
    const survey = await surveyOfFiles({ 'a.txt': 'one\n', 'b.txt': 'x'.repeat(200_000) });
    const begun: RepositoryFile[] = [];
    const { read, skipped } = await stream(survey, { onFileBegin: (file) => begun.push(file) });
    expect(begun).toEqual(survey.files);
    expect(read).toEqual(survey.files);
    expect(skipped).toEqual([]);
  });

  it('ends when it is cancelled', async () => {
    const survey = await surveyOfFiles({ 'a.txt': 'x\n'.repeat(200_000) });
    const stop = new AbortController();
    const streaming = stream(survey, { signal: stop.signal }, () => {
      stop.abort();
      return Promise.resolve();
    });
    await expect(streaming).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a stream of files that change meanwhile', () => {
  it('skips one that vanished, became a folder, binary, empty or too large', async () => {
    const survey = await surveyOfFiles({
      'binary.txt': 'x',
      'empty.txt': 'x',
      'folder.txt': 'x',
      'gone.txt': 'x',
      'large.txt': 'x',
      'stays.txt': 'x',
    });
    const at = (name: string): string => path.join(survey.root, name);
    await writeFile(at('binary.txt'), Uint8Array.from([1, 0, 2]));
    await truncate(at('empty.txt'));
    await rm(at('folder.txt'));
    await mkdir(at('folder.txt'));
    await unlink(at('gone.txt'));
    await writeFile(at('large.txt'), 'x'.repeat(2000));
    const { text, read, skipped } = await stream(survey, { maxFileBytes: 1000 });
    expect(text).toBe('# Repository: root\n\n=== stays.txt ===\nx\n');
    expect(read.map((file) => file.path)).toEqual(['stays.txt']);
    expect(skipped.map(({ path: name, reason }) => [name, reason])).toEqual([
      ['binary.txt', 'binary'],
      ['empty.txt', 'empty'],
      ['folder.txt', 'vanished'],
      ['gone.txt', 'vanished'],
      ['large.txt', 'too-large'],
    ]);
  });

  it('reads one that changed as it is now and reports its hash, size, lines and time', async () => {
    const survey = await surveyOfFiles({ 'a.txt': 'one\n' });
    const file = path.join(survey.root, 'a.txt');
    await writeFile(file, 'one\ntwo\n');
    await utimes(file, 1_000_000, 1_000_000);
    const { text, read } = await stream(survey);
    expect(text).toContain('one\ntwo\n');
    const hash = createHash('sha256').update('one\ntwo\n').digest('hex');
    expect(read).toEqual([{ ...survey.files[0], bytes: 8, lines: 2, hash, modified: 1_000_000_000 }]);
  });

  it('reads what it opened when the file is replaced or removed while it is read', async () => {
    const content = 'line\n'.repeat(60_000);
    for (const change of [
      (file: string) => unlink(file),
      async (file: string) => {
        await writeFile(`${file}.new`, 'new');
        await rename(`${file}.new`, file);
      },
    ]) {
      const survey = await surveyOfFiles({ 'a.txt': content });
      let changed = false;
      const { segments, read } = await stream(survey, {}, async (segment) => {
        if (segment.kind === 'text' && !changed) await change(path.join(survey.root, 'a.txt'));
        changed ||= segment.kind === 'text';
      });
      expect(
        segments
          .slice(2)
          .map((segment) => segment.text)
          .join(''),
      ).toBe(content);
      expect(read).toEqual(survey.files);
    }
  });

  it('ends a file where it was cut off, and reports a hash that is not that of the survey', async () => {
    const survey = await surveyOfFiles({ 'a.txt': 'line\n'.repeat(60_000), 'b.txt': 'x' });
    const { read, text } = await stream(survey, {}, async (segment) => {
      if (segment.kind === 'text') await truncate(path.join(survey.root, 'a.txt'), 10);
    });
    expect(read.map((file) => file.path)).toEqual(['a.txt', 'b.txt']);
    expect(read[0]?.hash).not.toBe(survey.files[0]?.hash);
    expect(read[0]?.bytes).toBeLessThan(300_000);
    expect(text.endsWith('\n\n=== b.txt ===\nx\n')).toBe(true);
  });

  it('does not read what a growing file gains meanwhile', async () => {
    const survey = await surveyOfFiles({ 'a.log': 'line\n'.repeat(30_000) });
    const { read } = await stream(survey, {}, async (segment) => {
      if (segment.kind === 'text')
        await writeFile(path.join(survey.root, 'a.log'), 'more\n'.repeat(30_000), { flag: 'a' });
    });
    expect(read[0]?.bytes).toBe(150_000);
  });
});
