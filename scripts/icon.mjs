// Draws extension/media/icon.svg as the PNG that VS Code wants, with the Chromium of this machine: `node scripts/icon.mjs`.
import { readFile, writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { findChromium } from './test-editor.mjs';

const media = new URL('../extension/media/', import.meta.url);
const executablePath = findChromium();
if (executablePath === undefined) throw new Error('There is no Chromium. Name its program in CHROMIUM.');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
await page.setContent(`<style>body { margin: 0 }</style>${await readFile(new URL('icon.svg', media), 'utf8')}`);
await writeFile(new URL('icon.png', media), await page.screenshot({ omitBackground: true }));
await browser.close();
