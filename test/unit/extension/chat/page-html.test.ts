import { expect, test } from 'vitest';
import { pageHtml } from '../../../../extension/chat/page-html.js';

const sources = {
  script: 'https://host/chat.js',
  style: 'https://host/style.css',
  cspSource: 'https://host',
  nonce: 'abc',
  language: 'de',
  title: 'Locret',
};

test('only the script with the nonce runs, and nothing is fetched but style and font of the extension', () => {
  const html = pageHtml(sources);
  expect(html).toContain(
    'default-src &#39;none&#39;; script-src &#39;nonce-abc&#39;; style-src https://host; font-src https://host;',
  );
  expect(html).not.toMatch(/unsafe-|<style|style=|onload/);
  expect(html.match(/<script/g)).toHaveLength(1);
});

test('no value can end its attribute', () => {
  expect(pageHtml({ ...sources, language: '"><script>' })).toContain('lang="&#34;&#62;&#60;script&#62;"');
});
