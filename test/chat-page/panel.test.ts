import { expect, onTestFinished, test } from 'vitest';
import type { RootStatus } from '../../server/contract/protocol.js';
import { RequestFailure } from '../../extension/sidecar/sidecar.js';
import { answerOf, FakeSidecar, readyRoot, root, unreadRoot } from '../unit/extension/chat/fake-sidecar.js';
import { describeInBrowser } from './browser.js';
import { isFocused, isMarked, mark, namelessControls, scrollLog, scrollTop, tooWideElements } from './page-state.js';
import { openPage, type PageUnderTest, type Theme } from './page-under-test.js';

const progress = {
  filesRead: 180,
  files: 420,
  tokensRead: 500_000,
  bytesRead: 2_000_000,
  bytes: 4_600_000,
  tokensPerSecond: 13_241,
  secondsLeft: 47,
};

describeInBrowser('the chat panel', (browser) => {
  async function open(options: Parameters<typeof openPage>[1] = {}): Promise<PageUnderTest> {
    const under = await openPage(browser(), options);
    onTestFinished(() => {
      expect(under.complaints).toEqual([]);
    });
    return under;
  }

  async function answered(under: PageUnderTest, question: string, text = 'Here.'): Promise<void> {
    const { length } = under.sidecar.questions;
    const asked = under.chat.ask(question, 'memory');
    (await under.sidecar.question(length + 1)).answer(answerOf(text));
    await asked;
    await under.settled();
  }

  test('loses nothing when it is hidden in the middle of an answer', async () => {
    const under = await open({ height: 500 });
    const { page } = under;
    await answered(under, 'first', 'A line.\n\n'.repeat(60));
    void under.chat.ask('second', 'memory');
    const question = await under.sidecar.question(2);
    question.send({ kind: 'text', text: 'Half of ' });
    await page.getByText('Half of').waitFor();
    await page.getByLabel('Question', { exact: true }).fill('a draft');
    await scrollLog(page, 120);
    await expect.poll(() => page.evaluate("sessionStorage.getItem('state')")).toContain('"position":120');
    await under.rebuild();
    question.send({ kind: 'text', text: 'the answer.' });
    await page.getByText('Half of the answer.').waitFor({ state: 'attached' });
    expect(await page.getByLabel('Question', { exact: true }).inputValue()).toBe('a draft');
    expect(await scrollTop(page)).toBe(120);
    question.answer(answerOf('Half of the answer.'));
    await expect.poll(() => page.locator('.coverage').count()).toBe(2);
  });

  test('asks for everything when a piece of an answer was missed', async () => {
    const under = await open();
    void under.chat.ask('Where?', 'memory');
    const question = await under.sidecar.question(1);
    question.send({ kind: 'text', text: 'One, ' });
    await under.page.getByText('One,').waitFor();
    const [turn] = under.chat.conversations.shown.conversation.turns;
    under.post({ type: 'text', turn: turn?.id ?? '', root, at: 99, text: 'lost' });
    question.send({ kind: 'text', text: 'two.' });
    await under.page.getByText('One, two.').waitFor();
  });

  test('stays as it is in a long conversation while an answer is streamed', async () => {
    const under = await open();
    const turns = Array.from({ length: 200 }, (_, index) => ({
      id: `turn-${index}`,
      question: `Question ${index}`,
      mode: 'memory' as const,
      asked: index,
      answers: [
        {
          root: { uri: root, name: 'orchard' },
          text: `Answer ${index} in \`src/store/apple.ts:12\`.\n\n\`\`\`ts\nconst answer = ${index};\n\`\`\``,
          state: 'answered' as const,
        },
      ],
    }));
    under.chat.conversations.startWith(turns);
    await under.page.getByText('Answer 199').waitFor();
    await mark(under.page, '.turn');
    const asked = under.chat.ask('One more', 'memory');
    const question = await under.sidecar.question(1);
    for (let index = 0; index < 300; index++) question.send({ kind: 'text', text: `word ${index} ` });
    question.answer(answerOf('The last answer.'));
    await asked;
    await under.page.getByText('The last answer.', { exact: true }).waitFor();
    expect(await under.page.locator('.turn').count()).toBe(201);
    expect(await isMarked(under.page, '.turn')).toBe(true);
  });

  test('sends with Enter, breaks lines with Shift+Enter, and recalls questions with the arrows', async () => {
    const under = await open();
    const { page } = under;
    const composer = page.getByLabel('Question', { exact: true });
    await answered(under, 'first');
    await answered(under, 'second');
    await composer.press('ArrowUp');
    expect(await composer.inputValue()).toBe('second');
    await composer.press('ArrowUp');
    await composer.press('ArrowUp');
    expect(await composer.inputValue()).toBe('first');
    await composer.press('ArrowDown');
    await composer.press('ArrowDown');
    expect(await composer.inputValue()).toBe('');
    await composer.pressSequentially('one');
    await composer.press('Shift+Enter');
    await composer.pressSequentially('two');
    await composer.press('ArrowUp');
    expect(await composer.inputValue()).toBe('one\ntwo');
    await composer.press('Enter');
    expect((await under.sidecar.question(3)).params.question).toBe('one\ntwo');
    expect(await composer.inputValue()).toBe('');
  });

  test('grows its composer to eight lines', async () => {
    const under = await open();
    const composer = under.page.getByLabel('Question', { exact: true });
    const height = async (): Promise<number> => (await composer.boundingBox())?.height ?? 0;
    const one = await height();
    await composer.fill('1\n2\n3');
    const three = await height();
    await composer.fill(Array.from({ length: 40 }, (_, index) => index).join('\n'));
    const most = await height();
    expect(three).toBeGreaterThan(one);
    expect(most).toBeGreaterThan(three);
    const line = (three - one) / 2;
    expect(Math.round((most - one) / line)).toBe(7);
  });

  test('asks no empty question', async () => {
    const under = await open();
    await under.page.getByLabel('Question', { exact: true }).fill('  \n ');
    await under.page.keyboard.press('Enter');
    expect(await under.page.getByRole('button', { name: 'Ask (Enter)' }).isDisabled()).toBe(true);
    await under.settled();
    expect(under.sidecar.questions).toEqual([]);
  });

  test('says what a deep question costs before it is asked', async () => {
    const under = await open({ sidecar: new FakeSidecar(readyRoot({ state: 'reading', progress })) });
    under.sidecar.changeStatus({ roots: [readyRoot()] });
    await under.settled();
    await under.page.getByRole('button', { name: 'Deep' }).click();
    await under.page.getByText('with your question first: about 1 min 31 s').waitFor();
  });

  const plan = { weights: 1, packing: 1, cache: 6_400_000, activations: 1, program: 1, peak: 221_000_000, free: 8e9 };

  test.each<[string, RootStatus, readonly string[], readonly string[]]>([
    [
      'not read',
      unreadRoot(),
      ['Not read yet', 'It takes 211 MB of memory at most. 6.1 MB of that is the cache'],
      ['Read Repository', 'Memory Plan'],
    ],
    ['saved', unreadRoot({ snapshot: true }), ['Remembered from last time'], ['Load It Now']],
    ['loading', unreadRoot({ state: 'loading' }), ['Loading…'], []],
    [
      'reading',
      unreadRoot({ state: 'reading', progress }),
      ['Reading', '43 % · 180 of 420 files · 13,241 tokens/s · 47 s left'],
      ['Pause', 'Cancel'],
    ],
    ['paused', unreadRoot({ state: 'paused', progress }), ['Paused', '43 % · 180 of 420 files'], ['Continue', 'Drop']],
    ['ready', readyRoot(), ['Ready', '412 files, 1,204,000 tokens'], []],
    [
      'stale',
      readyRoot({
        memory: {
          ...readyRoot().memory,
          filesRead: 1,
          tokensRead: 1,
          skipped: 0,
          changed: 2,
          units: 1,
          budget: 1,
          source: 'read',
          made: 0,
        },
      }),
      ['2 files changed'],
      ['Fold In'],
    ],
    [
      'failed',
      unreadRoot({
        state: 'failed',
        error: { code: 'disk-full', message: 'The disk is full.', remedy: 'Free some space.' },
      }),
      ['Reading failed', 'The disk is full.', 'Free some space.'],
      ['Try Again', 'Choose Model', 'Show Log'],
    ],
  ])('tells the state of a memory that is %s, and offers what can be done', async (_, status, texts, buttons) => {
    const sidecar = new FakeSidecar(status);
    sidecar.handlers['locret/plan'] = () => ({ model: 'nano', rows: [], bytes: plan, notices: [] });
    sidecar.handlers['locret/coverage'] = () => ({ read: [], skipped: [], changed: [] });
    const under = await open({ sidecar });
    const card = under.page.getByRole('region', { name: 'Memory' });
    for (const text of texts) await card.getByText(text, { exact: false }).first().waitFor();
    expect(await card.getByRole('button').allInnerTexts()).toEqual(buttons);
  });

  test('reads, pauses and goes on from its card', async () => {
    const sidecar = new FakeSidecar(unreadRoot());
    sidecar.handlers['locret/plan'] = () => ({ model: 'nano', rows: [], bytes: plan, notices: [] });
    sidecar.handlers['locret/read'] = () => unreadRoot();
    sidecar.handlers['locret/stopReading'] = () => unreadRoot();
    const under = await open({ sidecar });
    const methods = (): string[] => sidecar.requests.map(({ method }) => method).filter((one) => one !== 'locret/plan');
    await under.page.getByRole('button', { name: 'Read Repository' }).click();
    await expect.poll(methods).toEqual(['locret/read']);
    sidecar.changeStatus({ roots: [unreadRoot({ state: 'reading', progress })] });
    const pause = under.page.getByRole('button', { name: 'Pause' });
    await pause.focus();
    for (let bytesRead = 0; bytesRead < 5; bytesRead++) {
      sidecar.changeStatus({ roots: [unreadRoot({ state: 'reading', progress: { ...progress, bytesRead } })] });
    }
    await under.settled();
    expect(await isFocused(pause)).toBe(true);
    await pause.press('Enter');
    await expect.poll(methods).toEqual(['locret/read', 'locret/stopReading']);
    sidecar.changeStatus({ roots: [unreadRoot({ state: 'paused', progress })] });
    await under.page.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(methods).toHaveLength(3);
  });

  test('shows the reading where a question waits for it, once', async () => {
    const under = await open({ sidecar: new FakeSidecar(unreadRoot({ state: 'reading', progress })) });
    void under.chat.ask('Where?', 'memory');
    (await under.sidecar.question(1)).send({ kind: 'phase', phase: 'opening' });
    await under.page.getByText('Your question is next.').waitFor();
    await expect.poll(() => under.page.getByRole('progressbar').filter({ visible: true }).count()).toBe(1);
    expect(await under.page.getByRole('region', { name: 'Memory' }).isVisible()).toBe(false);
    await under.page.locator('.turn').getByText('43 % · 180 of 420 files').waitFor();
  });

  test('lets a question wait while reading is paused, and answers it when reading goes on', async () => {
    const reading = unreadRoot({ state: 'reading', progress });
    const sidecar = new FakeSidecar(reading);
    sidecar.handlers['locret/stopReading'] = () => reading;
    sidecar.handlers['locret/read'] = () => reading;
    const under = await open({ sidecar });
    void under.chat.ask('Where?', 'memory');
    const question = await sidecar.question(1);
    question.send({ kind: 'phase', phase: 'opening' });
    await under.page.getByRole('button', { name: 'Pause' }).click();
    await expect.poll(() => sidecar.requests.map(({ method }) => method)).toEqual(['locret/stopReading']);
    sidecar.changeStatus({ roots: [unreadRoot({ state: 'paused', progress })] });
    question.fail(new RequestFailure('cancelled', 'This was cancelled.', 'Start it again.'));
    await under.page.getByText('Reading is paused. Your question waits.').waitFor();
    expect(await under.page.getByRole('region', { name: 'Memory' }).isVisible()).toBe(false);
    await under.page.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(() => sidecar.requests.at(-1)?.method).toBe('locret/read');
    sidecar.changeStatus({ roots: [reading] });
    (await sidecar.question(2)).answer(answerOf('Here.'));
    await under.page.getByText('Here.', { exact: true }).waitFor();
  });

  test('tells why the sidecar is stopped, and restarts it', async () => {
    const under = await open();
    await answered(under, 'Where?');
    under.sidecar.changeLife({ state: 'stopped', reason: 'It ran out of memory.' });
    const card = under.page.getByRole('region', { name: 'Memory' });
    await card.getByText('It ran out of memory.').waitFor();
    await card.getByRole('button', { name: 'Restart' }).click();
    await expect.poll(() => under.log.commands).toEqual(['locret.restart']);
    under.sidecar.changeLife({ state: 'running' });
    await expect.poll(() => card.isVisible()).toBe(false);
    await under.page.getByText('Here.', { exact: true }).waitFor();
  });

  test('offers questions that fit the repository, and says what the bundled model can do', async () => {
    const sidecar = new FakeSidecar();
    sidecar.handlers['locret/coverage'] = () => ({
      read: [{ path: 'src/a.ts', tokens: 900 }],
      skipped: [],
      changed: [],
    });
    sidecar.handlers['locret/definitionAt'] = () => ({ name: 'openLedger', kind: 'function', line: 1, endLine: 9 });
    const under = await open({ sidecar });
    await under.page.getByText('It looks up one named thing').waitFor();
    await under.page.getByRole('button', { name: 'Where is openLedger defined?' }).click();
    expect((await under.sidecar.question(1)).params.question).toBe('Where is `openLedger` defined?');
  });

  test('lists conversations, finds, opens, renames and deletes them, by keyboard alone', async () => {
    const under = await open();
    const { page } = under;
    for (const question of ['Where is openLedger?', 'Where is AppleStore?', 'Who calls it?']) {
      await answered(under, question);
      under.chat.conversations.startNew();
    }
    under.post({ type: 'showConversations' });
    const items = page.locator('.conversation-title');
    await expect.poll(() => items.allInnerTexts()).toHaveLength(3);
    await page.keyboard.type('AppleStore');
    await expect.poll(() => items.allInnerTexts()).toEqual(['Where is AppleStore?']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('F2');
    await page.keyboard.type('Apples');
    await page.keyboard.press('Enter');
    await expect.poll(() => items.allInnerTexts()).toEqual(['Apples']);
    await page.keyboard.press('Delete');
    await page.getByText('Nothing found.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => items.allInnerTexts()).toEqual(['Apples']);
    await page.locator('.conversation-item').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Where is AppleStore?' }).waitFor();
    expect(await isFocused(page.getByLabel('Question', { exact: true }))).toBe(true);
  });

  test('leaves the list with Escape', async () => {
    const under = await open();
    under.post({ type: 'showConversations' });
    await under.page.getByText('No conversation yet.').waitFor();
    await under.page.keyboard.press('Escape');
    await under.page.getByLabel('Question', { exact: true }).waitFor();
  });

  test('names everything that can be used, for those who cannot see it', async () => {
    const sidecar = new FakeSidecar(readyRoot({ state: 'reading', progress }));
    const under = await open({ sidecar });
    await answered(under, 'Where?', 'Here.\n\n```ts\nlet a;\n```\n\n| a |\n|---|\n| b |');
    expect(await namelessControls(under.page)).toEqual([]);
    const icons = await under.page.locator('.codicon:not([aria-hidden])').count();
    expect(icons).toBe(0);
  });

  test.each<Theme>(['vscode-dark', 'vscode-light', 'vscode-high-contrast', 'vscode-high-contrast-light'])(
    'fits a narrow side bar in %s',
    async (theme) => {
      const sidecar = new FakeSidecar(
        readyRoot({ memory: { ...answerOf('').coverage, units: 1, budget: 1, source: 'read', made: 0 } }),
      );
      const under = await open({ theme, width: 250, sidecar });
      const path = 'src/some/folder/with/a/very/long/name/and/a-file-with-a-very-long-name.component.ts';
      const asked = under.chat.ask('Where is `aVeryLongNameOfAFunctionThatNobodyCanRead` defined?', 'memory');
      (await under.sidecar.question(1)).answer(
        answerOf(
          `In \`${path}:12\`.\n\n\`\`\`ts\n${'const a = 1; '.repeat(20)}\n\`\`\`\n\n|${'a|'.repeat(20)}\n|${'-|'.repeat(20)}`,
          {
            citations: [
              { path, line: 12, endLine: 12, name: 'aVeryLongNameOfAFunctionThatNobodyCanRead', from: 'recall' },
            ],
          },
        ),
      );
      await asked;
      await under.page.getByRole('button', { name: 'recall 1 definition' }).click();
      expect(await tooWideElements(under.page)).toEqual([]);
    },
  );

  test('speaks the language of the editor', async () => {
    const texts = { 'Ask about the repository': 'Fragen Sie das Repository', '{0} skipped': '{0} ausgelassen' };
    const under = await open({ texts });
    await answered(under, 'Wo?');
    await under.page.getByPlaceholder('Fragen Sie das Repository').waitFor();
    await under.page.getByRole('button', { name: '8 ausgelassen' }).waitFor();
  });
});
