import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { TrainingStatus, TrainParams } from '../../server/contract/protocol.js';
import { apples, whereIsCountApples } from '../faults/terminal.js';
import { Desk, refusalOf, uriOf, type Editor } from './editor.js';

const sources = fileURLToPath(new URL('../../server/repository', import.meta.url));
/** Small enough that a step takes a fraction of a second. */
const options = { input: 'hidden', tokens: 160, questions: 3, width: 8, steps: 12, seed: 5, threads: 1 } as const;

function training(
  desk: Desk,
  name: string,
  changes: Partial<TrainParams> = {},
): TrainParams & { readonly out: string } {
  return { repositories: [sources], options, ...changes, out: path.join(desk.folder, name) };
}

/** What is told of a training while it runs. */
function trainingEvents(editor: Editor): TrainingStatus[] {
  const events: TrainingStatus[] = [];
  editor.connection.onNotification('locret/training', (status: TrainingStatus) => {
    events.push(status);
  });
  return events;
}

/** Waits until a training has made some steps. */
async function untilStep(editor: Editor, events: readonly TrainingStatus[], step: number): Promise<void> {
  await expect.poll(() => events.at(-1)?.step ?? -1, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(step);
  expect(editor.status.training).toBeDefined();
}

/** The processes that a sidecar started. */
function childrenOf(pid: number | undefined): number[] {
  const listed = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return listed.trim().split(/\s+/).map(Number);
}

describe('training through the sidecar', () => {
  it('tells what it will take, then how far it is, and writes heads that can be read with', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    await editor.ask(root, whereIsCountApples).result;
    const events = trainingEvents(editor);
    const of = training(desk, 'heads.safetensors', { options: { ...options, steps: 3 } });
    const plan = await editor.request('locret/trainingPlan', of);
    expect(plan).toMatchObject({ model: 'nano', out: of.out, replaces: false, steps: 3, tokens: 160 });
    expect(plan.secondsLeft).toBeGreaterThan(plan.secondsPerStep);
    expect(plan.heldOutFiles).toBeGreaterThan(0);
    expect(plan.paused).toBeUndefined();
    expect(existsSync(of.out)).toBe(false);

    const trained = editor.send('locret/train', of);
    const result = await trained.result;
    expect(result).toMatchObject({ end: 'finished', out: of.out, steps: 3 });
    expect('course' in result && result.course.map(({ step }) => step)).toEqual([0, 3]);
    expect(trained.workDone[0]).toMatchObject({ kind: 'begin', title: 'Training retaining heads', cancellable: true });
    expect(trained.workDone.at(-1)).toMatchObject({ kind: 'end' });
    expect(new Set(events.map(({ phase }) => phase))).toContain('evaluate');
    expect(events.every(({ steps, model }) => steps === 3 && model === 'nano')).toBe(true);
    await expect.poll(() => editor.status.training).toBeUndefined();
    // The model in use made room.
    expect(editor.status.engine).toBeUndefined();

    await editor.configure({ heads: of.out });
    expect((await editor.ask(root, whereIsCountApples).result).memory).toMatchObject({
      source: 'read',
      policy: 'locret',
    });
    const rows = (await editor.request('locret/plan', { root: uriOf(root) })).rows;
    expect(rows.find(([name]) => name === 'policy')?.[2]).toBe('trained retaining heads (labels: contribution)');
    const uri = `locret-report:/training.md?${encodeURIComponent(of.out)}`;
    const { text } = await editor.connection.sendRequest<{ text: string }>('workspace/textDocumentContent', { uri });
    expect(text).toContain('# Retaining heads for nano');
    expect((await editor.request('locret/trainingPlan', of)).replaces).toBe(true);
  });

  it('pauses and goes on with the same numbers, also when its process was killed', async () => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const events = trainingEvents(editor);
    const whole = training(desk, 'whole.safetensors');
    await editor.request('locret/train', whole);

    const paused = training(desk, 'paused.safetensors');
    const cancelled = editor.send('locret/train', paused);
    events.length = 0;
    await untilStep(editor, events, 2);
    cancelled.cancel();
    const first = await cancelled.result;
    expect(first).toMatchObject({ end: 'paused', out: paused.out, steps: 12 });
    const step = 'step' in first ? first.step : 0;
    expect(step).toBeGreaterThanOrEqual(2);
    expect(await editor.request('locret/pausedTraining', { out: paused.out })).toEqual({ step, steps: 12 });
    expect((await editor.request('locret/trainingPlan', paused)).paused).toEqual({ step, steps: 12, isThis: true });

    events.length = 0;
    const killed = editor.send('locret/train', paused);
    await untilStep(editor, events, step + 2);
    expect(events.every((event) => event.step >= step)).toBe(true);
    for (const pid of childrenOf(editor.child.pid)) process.kill(pid, 'SIGKILL');
    expect(await refusalOf(killed.result)).toMatchObject({
      message: expect.stringContaining('SIGKILL') as unknown,
      data: { code: 'engine-failed' },
    });
    expect(await editor.request('locret/pausedTraining', { out: paused.out })).toEqual({ step, steps: 12 });

    // The whole sidecar is killed: its training keeps what it has and ends.
    events.length = 0;
    editor.send('locret/train', paused);
    await untilStep(editor, events, step + 1);
    editor.child.kill('SIGKILL');
    await editor.ended;
    const next = await desk.open([]);
    expect(await next.request('locret/train', paused)).toMatchObject({ end: 'finished' });
    expect(readFileSync(paused.out)).toEqual(readFileSync(whole.out));
    expect(await next.request('locret/pausedTraining', { out: paused.out })).toBeNull();
  });

  it('keeps what was trained when the editor ends, and gives it up when that is asked for', async () => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const of = training(desk, 'heads.safetensors', { options: { ...options, steps: 500 } });
    const events = trainingEvents(editor);
    editor.send('locret/train', of);
    await untilStep(editor, events, 1);
    expect(await editor.close()).toBe(0);

    const next = await desk.open([]);
    expect((await next.request('locret/pausedTraining', { out: of.out }))?.step).toBeGreaterThanOrEqual(1);
    const again = trainingEvents(next);
    const running = next.send('locret/train', of);
    await untilStep(next, again, 2);
    const status = await next.request('locret/stopTraining', { keep: false });
    expect(status.training).toBeUndefined();
    expect(await running.result).toMatchObject({ end: 'discarded', steps: 500 });
    expect(await next.request('locret/pausedTraining', { out: of.out })).toBeNull();
    expect(existsSync(of.out)).toBe(false);
  });

  it('gives up a training that is paused, and begins anew with other settings', async () => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const of = training(desk, 'heads.safetensors');
    const running = editor.send('locret/train', of);
    await untilStep(editor, trainingEvents(editor), 1);
    await editor.request('locret/stopTraining', { keep: true });
    expect(await running.result).toMatchObject({ end: 'paused' });
    const other = { ...of, options: { ...options, steps: 2, labels: 'reconstruction' as const } };
    expect((await editor.request('locret/trainingPlan', other)).paused).toMatchObject({ isThis: false });
    expect(await refusalOf(editor.request('locret/train', other))).toMatchObject({
      data: { code: 'invalid-argument' },
    });
    await editor.request('locret/stopTraining', { keep: false, out: of.out });
    expect(await editor.request('locret/train', other)).toMatchObject({ end: 'finished', steps: 2 });
  });

  it('refuses a second training, and answers questions meanwhile', async () => {
    const desk = new Desk();
    const root = desk.repository('apples', apples);
    const editor = await desk.open([root]);
    const events = trainingEvents(editor);
    const running = editor.send(
      'locret/train',
      training(desk, 'first.safetensors', { options: { ...options, steps: 500 } }),
    );
    await untilStep(editor, events, 1);
    const second = await refusalOf(editor.request('locret/train', training(desk, 'second.safetensors')));
    expect(second).toMatchObject({ data: { code: 'training-under-way' } });
    expect(second.message).toMatch(/Heads for nano are being trained \(step \d+ of 500\)/);
    expect((await editor.ask(root, whereIsCountApples).result).citations[0]).toMatchObject({ path: 'apple.ts' });
    expect(editor.status.training).toBeDefined();
    running.cancel();
    expect(await running.result).toMatchObject({ end: 'paused' });
  });

  it('trains nothing in folders that are not trusted, until they are', async () => {
    const desk = new Desk();
    const editor = await desk.open([], { trusted: false });
    const of = training(desk, 'heads.safetensors', { options: { ...options, steps: 1 } });
    for (const method of ['locret/train', 'locret/trainingPlan'] as const) {
      expect(await refusalOf(editor.request(method, of))).toMatchObject({ data: { code: 'not-trusted' } });
    }
    await editor.configure({ trusted: true });
    expect(await editor.request('locret/train', of)).toMatchObject({ end: 'finished' });
  });

  it.each<[string, object, RegExp]>([
    ['no repository', { repositories: [] }, /repositories is \[\]/],
    ['a relative folder', { repositories: ['src'] }, /repositories is "src"; expected an absolute path/],
    ['a relative file', { repositories: [sources], out: 'heads' }, /out is "heads"/],
    ['a label that there is not', { repositories: [sources], options: { labels: 'x' } }, /options\.labels is "x"/],
    ['no steps', { repositories: [sources], options: { steps: 0 } }, /options\.steps is 0/],
    ['a rate above 1', { repositories: [sources], options: { rate: 2 } }, /options\.rate is 2/],
    ['a model that is not there', { repositories: [sources], model: 'absent' }, /no model "absent"/],
  ])('refuses %s', async (_, params, message) => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const refusal = await refusalOf(editor.connection.sendRequest('locret/train', params));
    expect(refusal.message).toMatch(message);
  });

  it('gives up nothing unless that is said', async () => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const refusal = await refusalOf(editor.connection.sendRequest('locret/stopTraining', { out: '/heads' }));
    expect(refusal.message).toContain('keep is nothing; expected true or false');
  });

  it('writes heads of the bundled model where the user’s own things are kept', async () => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const plan = await editor.request('locret/trainingPlan', { repositories: [sources], options });
    expect(plan.out).toBe(path.join(desk.folder, 'data/locret/heads/nano-contribution-hidden.safetensors'));
  });

  it('can be stopped before it has begun', async () => {
    const desk = new Desk();
    const editor = await desk.open([]);
    const sent = editor.send('locret/train', training(desk, 'heads.safetensors'));
    await delay(30);
    sent.cancel();
    expect(await sent.result).toMatchObject({ end: 'paused', step: 0 });
    const estimate = editor.send('locret/trainingPlan', training(desk, 'heads.safetensors'));
    await delay(200);
    estimate.cancel();
    expect(await refusalOf(estimate.result)).toMatchObject({ data: { code: 'cancelled' } });
  });
});
