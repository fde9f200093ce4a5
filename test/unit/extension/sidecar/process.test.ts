import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SidecarProcess } from '../../../../extension/sidecar/process.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'locret-process-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function run(program: string): Promise<{ sidecar: SidecarProcess; lines: string[] }> {
  const module = path.join(folder, 'program.mjs');
  await writeFile(module, program);
  const lines: string[] = [];
  const sidecar = new SidecarProcess({ module, onLine: (line, output) => lines.push(`${output}: ${line}`) });
  return { sidecar, lines };
}

describe('SidecarProcess', () => {
  it('tells the exit code, and passes on and keeps what was written, to the last line', async () => {
    const { sidecar, lines } = await run(`console.log('one'); console.error('two'); process.exitCode = 3;`);
    const exit = await sidecar.exited;
    expect(exit).toMatchObject({ exitCode: 3, signal: null });
    expect([...exit.lastOutput].sort()).toEqual(['one', 'two']);
    expect(lines.sort()).toEqual(['stderr: two', 'stdout: one']);
  });

  it('keeps the last lines only', async () => {
    const { sidecar } = await run(`for (let line = 0; line < 50; line += 1) console.log(line);`);
    const { lastOutput } = await sidecar.exited;
    expect(lastOutput.length).toBeLessThan(50);
    expect(lastOutput.at(-1)).toBe('49');
  });

  it('tells by which signal it was ended', async () => {
    const { sidecar } = await run(`setInterval(() => {}, 1000);`);
    sidecar.kill();
    expect(await sidecar.exited).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
  });

  it('lets a debugger of this machine in where it is told to, and nobody otherwise', async () => {
    const program = `import { url } from 'node:inspector'; process.send({ url: url() }); process.disconnect();`;
    const told = async (): Promise<unknown> => {
      const { sidecar } = await run(program);
      const message: unknown = await new Promise((resolve) => sidecar.channel.once('message', resolve));
      await sidecar.exited;
      return message;
    };
    expect(await told()).toEqual({});
    // Port 0 is any port that is free.
    vi.stubEnv('LOCRET_INSPECT_SIDECAR', '0');
    expect(JSON.stringify(await told())).toMatch(/^\{"url":"ws:\/\/127\.0\.0\.1:\d+\//);
  });

  it('starts the program with a channel, without arguments, and with a small nursery', async () => {
    const { sidecar } = await run(
      `process.send({ arguments: process.argv.slice(2), node: process.execArgv }); process.disconnect();`,
    );
    const message = await new Promise((resolve) => sidecar.channel.once('message', resolve));
    expect(message).toEqual({
      arguments: [],
      node: ['--max-semi-space-size=4'],
    });
    expect(await sidecar.exited).toMatchObject({ exitCode: 0 });
  });

  it('ends like any other process when its program is missing', async () => {
    const sidecar = new SidecarProcess({ module: path.join(folder, 'none.mjs'), onLine: () => undefined });
    const { exitCode, lastOutput } = await sidecar.exited;
    expect(exitCode).toBe(1);
    expect(lastOutput.join('\n')).toContain('none.mjs');
  });
});
