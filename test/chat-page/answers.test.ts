import { expect, onTestFinished, test } from 'vitest';
import { answerOf, readyRoot, sidecarStopped, FakeSidecar, root } from '../unit/extension/chat/fake-sidecar.js';
import { describeInBrowser } from './browser.js';
import { distanceFromEnd, isFocused, isMarked, mark, scrollLog, scrollTop } from './page-state.js';
import { openPage, type PageUnderTest } from './page-under-test.js';

const code = 'export class AppleStore {\n  private readonly stored = 1;\n}\n';
const markdown = `\`AppleStore\` is in \`src/store/apple.ts:12\`, not in src/nowhere.ts:3.

\`\`\`ts
${code}\`\`\`

See [the store](src/store/apple.ts#L14) and [its page](https://example.com/a).
`;

describeInBrowser('answers in the page', (browser) => {
  async function open(options: Parameters<typeof openPage>[1] = {}): Promise<PageUnderTest> {
    const under = await openPage(browser(), options);
    onTestFinished(() => {
      expect(under.complaints).toEqual([]);
      expect(under.requested).toEqual([]);
    });
    return under;
  }

  async function answered(
    under: PageUnderTest,
    text: string,
    changes: Parameters<typeof answerOf>[1] = {},
  ): Promise<void> {
    const { length } = under.sidecar.questions;
    void under.chat.ask('Where is `AppleStore`?', 'memory');
    (await under.sidecar.question(length + 1)).answer(answerOf(text, changes));
    await under.page.locator('.turn').nth(length).locator('.coverage').waitFor();
  }

  test('grow as they are streamed, and are read out once they are there', async () => {
    const under = await open();
    const { page } = under;
    await page.getByLabel('Question', { exact: true }).fill('Where is `AppleStore`?');
    await page.keyboard.press('Enter');
    const question = await under.sidecar.question(1);
    expect(question.params).toMatchObject({ question: 'Where is `AppleStore`?', mode: 'memory' });
    question.send({ kind: 'phase', phase: 'answering' });
    await page.getByText('Answering…').waitFor();
    for (const piece of markdown.match(/[^]{1,7}/g) ?? []) question.send({ kind: 'text', text: piece });
    await page.locator('.code-block').waitFor();
    await page.getByText('its page').waitFor();
    expect(await page.getByText('Answering…').isVisible()).toBe(false);
    expect(await page.locator('.place-link').count()).toBe(0);
    expect(await page.getByRole('status').textContent()).not.toContain('AppleStore');
    question.answer(answerOf(markdown));
    await page.locator('.coverage').waitFor();
    await expect.poll(() => page.getByRole('status').textContent()).toContain('AppleStore');
    expect(await page.getByRole('log').getAttribute('aria-live')).toBe('off');
  });

  test('keep what did not change while they grow', async () => {
    const under = await open();
    void under.chat.ask('Where?', 'memory');
    const question = await under.sidecar.question(1);
    question.send({ kind: 'text', text: 'First.\n\n```ts\nconst a = 1;' });
    const copy = under.page.getByRole('button', { name: 'Copy Code' });
    await copy.focus();
    await mark(under.page, '.answer-text p');
    question.send({ kind: 'text', text: '\nconst b = 2;\n```\n\nLast.' });
    await under.page.getByText('Last.').waitFor();
    expect(await isMarked(under.page, '.answer-text p')).toBe(true);
    expect(await isFocused(copy)).toBe(true);
  });

  test('link the places that were checked, and no others', async () => {
    const under = await open();
    await answered(under, markdown);
    const { page } = under;
    expect(await page.locator('.place-link').allInnerTexts()).toEqual(['src/store/apple.ts:12', 'the store']);
    await page.locator('.place-link').first().click();
    await page.getByRole('button', { name: 'the store' }).click();
    await page.getByRole('list', { name: 'Links' }).getByRole('button').nth(1).press('Enter');
    await expect
      .poll(() => under.log.opened)
      .toEqual([
        { root, path: 'src/store/apple.ts', line: 12, endLine: 12 },
        { root, path: 'src/store/apple.ts', line: 14, endLine: 14 },
        { root, path: 'src/ledger.ts', line: 8, endLine: 19 },
      ]);
  });

  test('tell links that are guesses from links that are not, in words too', async () => {
    const under = await open();
    await answered(under, 'Here.');
    const links = under.page.getByRole('list', { name: 'Links' }).getByRole('button');
    expect(await links.nth(0).innerText()).not.toContain('guess');
    expect(await links.nth(1).textContent()).toContain('A guess');
  });

  test('show where an address of the web leads', async () => {
    const under = await open();
    await answered(under, markdown);
    const link = under.page.getByRole('link', { name: 'its page' });
    expect(await link.getAttribute('href')).toBe('https://example.com/a');
    expect((await under.page.locator('.host').innerText()).trim()).toBe('(example.com)');
  });

  test('have code that can be copied, inserted and opened, in colours', async () => {
    const under = await open();
    await answered(under, markdown);
    const { page } = under;
    await page.getByRole('button', { name: 'Copy Code' }).click();
    await page.getByRole('button', { name: 'Insert at Cursor' }).click();
    await page.getByRole('button', { name: 'Open as New File' }).click();
    await expect.poll(() => under.log.files).toEqual([{ text: code, language: 'typescript' }]);
    expect(under.log.copied).toEqual([code]);
    expect(under.log.inserted).toEqual([code]);
    const shown = page.locator('.code-block code');
    expect(await shown.innerText()).toBe(code.trimEnd());
    expect(await shown.locator('.hljs-keyword').first().innerText()).toBe('export');
  });

  test('say in one line what they rest on, and open the particulars of each part', async () => {
    const under = await open();
    under.sidecar.handlers['locret/coverage'] = () => ({
      read: Array.from({ length: 412 }, (_, index) => ({ path: `src/file${index}.ts`, tokens: 900 })),
      skipped: [{ path: 'package-lock.json', reason: 'lock-file', detail: '' }],
      changed: [{ path: 'src/gone.ts', change: 'removed' }],
    });
    await answered(under, 'Here.');
    const { page } = under;
    const line = page.locator('.coverage-line');
    expect((await line.innerText()).replace(/\s+/g, ' ')).toBe(
      'read 412 of 420 files · 8 skipped · 2 changed since · recall 1 definition · 2.1 s',
    );
    const part = (name: string) => line.getByRole('button', { name });
    const details = page.locator('.details');
    await part('recall 1 definition').click();
    expect(await details.innerText()).toContain('the question gives its name · 120 tokens');
    await part('8 skipped').click();
    await details.getByText('package-lock.json').waitFor();
    expect(await part('recall 1 definition').getAttribute('aria-expanded')).toBe('false');
    expect(await part('8 skipped').getAttribute('aria-expanded')).toBe('true');
    await part('2 changed since').click();
    await details.getByText('removed').waitFor();
    expect(await details.getByRole('button').count()).toBe(0);
    await part('read 412').click();
    await details.getByRole('button', { name: 'Show more (212)' }).click();
    await details.getByRole('button', { name: 'Show more (12)' }).click();
    expect(await details.getByRole('listitem').count()).toBe(412);
    await part('2.1 s').click();
    expect(await details.innerText()).toContain('256 cache units per KV head');
    await page.keyboard.press('Escape');
    expect(await details.isVisible()).toBe(false);
  });

  test('can be stopped with Escape, keep their text and say so', async () => {
    const under = await open();
    void under.chat.ask('Where?', 'memory');
    (await under.sidecar.question(1)).send({ kind: 'text', text: 'It is' });
    await under.page.locator('.answer-text').getByText('It is').waitFor();
    await under.page.keyboard.press('Escape');
    await under.page.locator('.answer-footer').getByText('Stopped.').waitFor();
    expect(await under.page.locator('.answer-text').innerText()).toContain('It is');
    expect(await under.page.getByRole('button', { name: 'Stop (Escape)' }).isVisible()).toBe(false);
  });

  test('of which nothing has come yet are taken back into the composer', async () => {
    const under = await open();
    const composer = under.page.getByLabel('Question', { exact: true });
    await composer.fill('Where?');
    await under.page.getByRole('button', { name: 'Deep' }).click();
    await composer.press('Enter');
    (await under.sidecar.question(1)).send({ kind: 'phase', phase: 'reading' });
    await under.page.getByText('Reading the repository again').waitFor();
    await under.page.getByRole('button', { name: 'Stop (Escape)' }).click();
    await expect.poll(() => composer.inputValue()).toBe('Where?');
    expect(await under.page.getByRole('button', { name: 'Deep' }).getAttribute('aria-pressed')).toBe('true');
    expect(await under.page.locator('.turn').count()).toBe(0);
  });

  test('that fail say why and what helps, and are asked again', async () => {
    const under = await open();
    void under.chat.ask('Where?', 'memory');
    const question = await under.sidecar.question(1);
    question.send({ kind: 'text', text: 'It' });
    question.fail(sidecarStopped);
    const { page } = under;
    await page.locator('.failure').getByText('The sidecar has ended.').waitFor();
    expect(await page.locator('.failure').getByRole('button').allInnerTexts()).toEqual([
      'Try Again',
      'Restart',
      'Show Log',
    ]);
    await page.getByRole('button', { name: 'Restart' }).click();
    await expect.poll(() => under.log.commands).toEqual(['locret.restart']);
    await page.getByRole('button', { name: 'Try Again' }).click();
    (await under.sidecar.question(2)).answer(answerOf('Here.'));
    await page.locator('.coverage').waitFor();
    expect(await page.locator('.failure').count()).toBe(0);
    expect(await page.locator('.turn').count()).toBe(1);
  });

  test('can be copied, asked again, asked deep and deleted, and come back with undo', async () => {
    const under = await open();
    await answered(under, 'In **bold**.');
    const { page } = under;
    const actions = page.getByRole('group', { name: 'Actions for this answer' });
    await actions.getByRole('button', { name: 'Copy Answer' }).click();
    await expect.poll(() => under.log.copied).toEqual(['In **bold**.']);
    await actions.getByRole('button', { name: /^Ask Deep/ }).click();
    const deep = await under.sidecar.question(2);
    expect(deep.params).toMatchObject({ question: 'Where is `AppleStore`?', mode: 'deep' });
    deep.answer(answerOf('Deep.', { mode: 'deep' }));
    await page.getByText('Deep.', { exact: true }).waitFor();
    await page.locator('.turn').first().getByRole('button', { name: 'Delete Question and Answer' }).click();
    await expect.poll(() => page.locator('.turn').count()).toBe(1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.answer-text').getByText('In bold.').waitFor();
    expect(await page.locator('.turn').count()).toBe(2);
  });

  test('of several roots stand below their names', async () => {
    const api = { uri: 'file:///code/api', name: 'api' };
    const sidecar = new FakeSidecar(readyRoot(), readyRoot({ root: api.uri, name: api.name }));
    const under = await open({ sidecar, roots: [{ uri: root, name: 'orchard' }, api] });
    await under.page.getByLabel('Folder to ask').selectOption({ label: 'All folders (2)' });
    const composer = under.page.getByLabel('Question', { exact: true });
    await composer.fill('Where?');
    await composer.press('Enter');
    (await under.sidecar.question(1)).answer(answerOf('In orchard.'));
    (await under.sidecar.question(2)).answer(answerOf('In api.'));
    await under.page.getByText('In api.', { exact: true }).waitFor();
    expect(await under.page.locator('.answer-root').allInnerTexts()).toEqual(['orchard', 'api']);
    await under.page.getByRole('region', { name: 'Answer from api' }).locator('.citation').first().click();
    await expect.poll(() => under.log.opened[0]?.root).toBe(api.uri);
  });

  test('are followed to their end, unless the reader is elsewhere', async () => {
    const under = await open({ height: 400 });
    const { page } = under;
    void under.chat.ask('Where?', 'memory');
    const question = await under.sidecar.question(1);
    const lines = (count: number): string => 'A line of the answer.\n\n'.repeat(count);
    question.send({ kind: 'text', text: lines(40) });
    await expect.poll(() => scrollTop(page)).toBeGreaterThan(500);
    expect(await distanceFromEnd(page)).toBeLessThan(2);
    await scrollLog(page, 100);
    await page.getByRole('button', { name: 'Go to the End' }).waitFor();
    question.send({ kind: 'text', text: `${lines(40)}The end.` });
    await page.getByText('The end.').waitFor({ state: 'attached' });
    expect(await scrollTop(page)).toBe(100);
    await page.getByRole('button', { name: 'Go to the End' }).click();
    await expect.poll(() => distanceFromEnd(page)).toBeLessThan(2);
  });
});
