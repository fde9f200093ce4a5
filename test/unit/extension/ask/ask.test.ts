import { expect, test } from 'vitest';
import { ask as askSidecar, type AnswerPartial } from '../../../../extension/ask/ask.js';
import { RequestFailure } from '../../../../extension/sidecar/sidecar.js';
import {
  answerOf,
  createCancellation,
  FakeSidecar,
  readyRoot,
  root,
  sidecarStopped,
  unreadRoot,
} from '../chat/fake-sidecar.js';

function ask(sidecar: FakeSidecar) {
  const cancellation = createCancellation();
  const partials: AnswerPartial[] = [];
  const answer = askSidecar(
    sidecar,
    { root, question: 'Where?' },
    {
      token: cancellation.token,
      onPartial: (partial) => {
        partials.push(partial);
      },
    },
  );
  return { answer, partials, cancellation };
}

test('an answer comes with what was streamed before it', async () => {
  const sidecar = new FakeSidecar();
  const { answer, partials } = ask(sidecar);
  const question = await sidecar.question(1);
  question.send({ kind: 'phase', phase: 'answering' });
  question.send({ kind: 'text', text: 'Here' });
  question.answer(answerOf('Here.'));
  expect((await answer).text).toBe('Here.');
  expect(partials).toEqual([
    { kind: 'phase', phase: 'answering' },
    { kind: 'text', text: 'Here' },
  ]);
});

test('a question whose sidecar ends before any text is asked again of the one that is started in its place', async () => {
  const sidecar = new FakeSidecar();
  const { answer, partials } = ask(sidecar);
  (await sidecar.question(1)).fail(sidecarStopped);
  await expect.poll(() => partials).toEqual([{ kind: 'phase', phase: 'restarting' }]);
  sidecar.changeLife({ state: 'restarting', reason: 'It crashed.' });
  (await sidecar.question(2)).answer(answerOf('Here.'));
  expect((await answer).text).toBe('Here.');
});

test('it is asked again only once', async () => {
  const sidecar = new FakeSidecar();
  sidecar.life = { state: 'restarting', reason: 'It crashed.' };
  const { answer } = ask(sidecar);
  (await sidecar.question(1)).fail(sidecarStopped);
  (await sidecar.question(2)).fail(sidecarStopped);
  await expect(answer).rejects.toBe(sidecarStopped);
  expect(sidecar.questions).toHaveLength(2);
});

test('it is not asked again when text had come', async () => {
  const sidecar = new FakeSidecar();
  const { answer } = ask(sidecar);
  const question = await sidecar.question(1);
  question.send({ kind: 'text', text: 'He' });
  question.fail(sidecarStopped);
  await expect(answer).rejects.toBe(sidecarStopped);
});

test('it is not asked again of a sidecar that stays stopped', async () => {
  const sidecar = new FakeSidecar();
  const { answer } = ask(sidecar);
  (await sidecar.question(1)).fail(sidecarStopped);
  await Promise.resolve();
  sidecar.changeLife({ state: 'stopped', reason: 'It ran out of memory.' });
  await expect(answer).rejects.toBe(sidecarStopped);
  expect(sidecar.questions).toHaveLength(1);
});

test('it is not asked again when nobody waits any more', async () => {
  const sidecar = new FakeSidecar();
  const { answer, cancellation, partials } = ask(sidecar);
  (await sidecar.question(1)).fail(sidecarStopped);
  await expect.poll(() => partials.length).toBe(1);
  cancellation.cancel();
  await expect(answer).rejects.toBe(sidecarStopped);
  expect(sidecar.questions).toHaveLength(1);
});

const cancelled = new RequestFailure('cancelled', 'This was cancelled.', 'Start it again.');

test('a question whose reading is paused waits until the reading goes on', async () => {
  const sidecar = new FakeSidecar(unreadRoot({ state: 'reading' }));
  const { answer, partials } = ask(sidecar);
  (await sidecar.question(1)).fail(cancelled);
  await Promise.resolve();
  sidecar.changeStatus({ roots: [unreadRoot({ state: 'paused' })] });
  await expect.poll(() => partials).toEqual([{ kind: 'phase', phase: 'paused' }]);
  sidecar.changeStatus({ roots: [unreadRoot({ state: 'paused', notices: ['Still.'] })] });
  sidecar.changeStatus({ roots: [unreadRoot({ state: 'reading' })] });
  (await sidecar.question(2)).fail(cancelled);
  sidecar.changeStatus({ roots: [unreadRoot({ state: 'paused' })] });
  await expect.poll(() => partials.length).toBe(2);
  sidecar.changeStatus({ roots: [readyRoot()] });
  (await sidecar.question(3)).answer(answerOf('Here.'));
  expect((await answer).text).toBe('Here.');
});

test('a question whose reading is dropped is not answered', async () => {
  const sidecar = new FakeSidecar(unreadRoot({ state: 'paused' }));
  const { answer, partials } = ask(sidecar);
  (await sidecar.question(1)).fail(cancelled);
  await expect.poll(() => partials.length).toBe(1);
  sidecar.changeStatus({ roots: [unreadRoot()] });
  await expect(answer).rejects.toBe(cancelled);
});

test('a question that waits for a paused reading can be taken back', async () => {
  const sidecar = new FakeSidecar(unreadRoot({ state: 'paused' }));
  const { answer, partials, cancellation } = ask(sidecar);
  (await sidecar.question(1)).fail(cancelled);
  await expect.poll(() => partials.length).toBe(1);
  cancellation.cancel();
  await expect(answer).rejects.toBe(cancelled);
});

test('other failures are told as they are', async () => {
  const sidecar = new FakeSidecar();
  const { answer } = ask(sidecar);
  const failure = new RequestFailure('question-too-long', 'Too long.', 'Shorten it.');
  (await sidecar.question(1)).fail(failure);
  await expect(answer).rejects.toBe(failure);
});
