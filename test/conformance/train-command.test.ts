import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readTrace, runTrace, writeTokens } from './run-trace.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = path.join(root, 'dist/locret.js');
const folder = mkdtempSync(path.join(tmpdir(), 'locret-train-command-'));
const env = { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache') };
const repository = ['--repo', path.join(root, 'server/repository'), '--tokens', '160', '--questions', '3'];
const small = [...repository, '--width', '8', '--threads', '1'];

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function train(...argv: string[]) {
  return spawnSync(process.execPath, [command, 'train', ...argv], { encoding: 'utf8', env });
}

describe('locret train', () => {
  it('writes heads that the engine reads with, and measures them', () => {
    const out = path.join(folder, 'heads.safetensors');
    const trained = train(...small, '--out', out, '--steps', '3', '--input', 'hidden');
    expect(trained).toMatchObject({ status: 0 });
    expect(trained.stderr).toMatch(/files to train on, \d+ held out; samples of 160 tokens/);
    expect(trained.stderr).toMatch(/Step 3 of 3 · SmoothL1 \d+\.\d+ · overlap/);
    expect(trained.stdout).toMatch(/overlap of the top 10 % 0\.\d+ \(chance 0\.10\)/);
    const measured = train(...small, '--evaluate', out, '--samples', '4');
    expect(measured.stdout).toContain(/overlap of the top 10 % [\d.]+/.exec(trained.stdout)?.[0]);
    expect(measured.stdout.match(/ {2}layer \d: \d\.\d\d \d\.\d\d/g)).toHaveLength(6);

    const tokens = writeTokens(
      folder,
      Array.from({ length: 64 }, (_, index) => 300 + index),
    );
    const traceFolder = path.join(folder, 'trace');
    const sizes = ['--chunk', '16', '--budget', '24', '--out', traceFolder];
    const run = runTrace(
      folder,
      ...['--model', path.join(root, 'models/nano'), '--heads', out, '--tokens', tokens, ...sizes],
    );
    expect(run.status).toBe(0);
    expect(readTrace(traceFolder).chunks[0]?.layers[0]?.chunk_scores[1]).toHaveLength(16);
  });

  it('pauses at Ctrl-C, and goes on there', async () => {
    const out = path.join(folder, 'paused.safetensors');
    const argv = [...small, '--out', out, '--steps', '20'];
    const running = spawn(process.execPath, [command, 'train', ...argv], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let printed = '';
    running.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!printed.includes('Step 2 of') && `${printed}${text}`.includes('Step 2 of')) running.kill('SIGINT');
      printed += text;
    });
    const status = await new Promise((resolve) => running.on('close', resolve));
    expect(status).toBe(130);
    const paused = /Paused after step (\d+)\. The same command goes on there/.exec(printed)?.[1];
    expect(paused).toBeDefined();
    expect(existsSync(out)).toBe(false);
    const continued = train(...argv);
    expect(continued.stderr).toContain(`Going on after step ${paused}.`);
    expect(continued.status).toBe(0);
  });

  it.each([
    ['no file to write to', [...small], /--out/],
    ['a folder that is not there', [...small, '--out', path.join(folder, 'absent/heads')], /cannot be written/],
    ['heads that are not there', [...small, '--evaluate', path.join(folder, 'absent')], /is missing/],
    ['no source', ['--repo', folder, '--out', path.join(folder, 'x')], /repositor|source files|no text/],
  ])('ends with a clear message for %s', (_, argv, message) => {
    const run = train(...argv);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/unexpected error|\n {4}at /);
  });
});
