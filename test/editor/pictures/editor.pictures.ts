import { copyFile, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { ChatPanel } from '../pages/chat-panel.js';
import { InlineThread } from '../pages/inline-thread.js';
import { RememberedView } from '../pages/remembered-view.js';
import { Session } from '../session.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Every picture in every theme, for whoever judges them. */
const all = path.join(root, '.cache/pictures');
/** Those that the documentation shows. */
const shown = path.join(root, 'docs/pictures');

const themes = {
  light: 'Default Light Modern',
  dark: 'Default Dark Modern',
  contrast: 'Default High Contrast',
} as const;

/** Pictures that are committed, and the theme that they are taken in. */
const committed: Readonly<Record<string, keyof typeof themes>> = {
  chat: 'dark',
  remembered: 'dark',
  reading: 'light',
  status: 'light',
};

/** A repository to show: part of this project, as anybody has it. */
async function repository(): Promise<string> {
  const folder = path.join(await mkdtemp(path.join(tmpdir(), 'locret-pictures-')), 'locret');
  for (const part of ['engine', 'memory', 'answer']) {
    await cp(path.join(root, 'server', part), path.join(folder, 'server', part), { recursive: true });
  }
  await copyFile(path.join(root, 'README.md'), path.join(folder, 'README.md'));
  return folder;
}

async function lineOf(folder: string, file: string, text: string): Promise<number> {
  const lines = (await readFile(path.join(folder, file), 'utf8')).split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

/** What is seen in one theme, one after the other. */
class Photographer {
  constructor(
    private readonly session: Session,
    private readonly theme: keyof typeof themes,
    private readonly folder: string,
  ) {}

  /** Reads, and shows how far that is. */
  async reading(): Promise<void> {
    const { workbench } = this.session;
    const chat = new ChatPanel(workbench);
    await chat.open();
    await chat.ask('Where is `retainTopUnits` defined?');
    await workbench.waitForStatus(/reading: [2-8]\d %/);
    await this.take('reading');
    await chat.waitForAnswer();
  }

  /** A conversation, with the place that its link opens. */
  async chat(): Promise<void> {
    const { workbench } = this.session;
    const chat = new ChatPanel(workbench);
    await chat.links.first().click();
    await workbench.activeTab.filter({ hasText: 'eviction.ts' }).waitFor();
    await chat.open();
    await chat.askAndWait('What are the parameters of `lineRetention`?');
    await chat.coverage(/^recall /).click();
    await chat.question.blur();
    await this.take('chat');
  }

  /** A question beside the code. */
  async inline(): Promise<void> {
    const { workbench } = this.session;
    const file = 'server/engine/eviction.ts';
    await workbench.openFile(file, await lineOf(this.folder, file, 'function retainTopUnits'));
    await workbench.runCommand('Locret: Explain Symbol');
    const thread = new InlineThread(workbench);
    await thread.answer.getByRole('link').first().waitFor({ timeout: 120_000 });
    await this.take('inline');
    await thread.act('Delete Thread');
  }

  /** What is remembered: the tree, and the lines. */
  async remembered(): Promise<void> {
    const { workbench } = this.session;
    await workbench.runCommand('Locret: Shade Lines by Retention');
    const view = new RememberedView(workbench);
    await view.open();
    await view
      .row(/^server/)
      .first()
      .waitFor();
    await this.take('remembered');
    await workbench.runCommand('Locret: Shade Lines by Retention');
  }

  /** The dashboard behind the status bar. */
  async status(): Promise<void> {
    const { workbench } = this.session;
    await workbench.locretStatus.hover();
    await workbench.page.locator('.monaco-hover:visible').filter({ hasText: 'cache units' }).waitFor();
    await this.take('status');
    await workbench.page.mouse.move(700, 300);
  }

  async introduction(): Promise<void> {
    const { workbench } = this.session;
    await workbench.runCommand('Locret: Open Introduction');
    await workbench.page.locator('.gettingStarted .getting-started-step').first().waitFor();
    await this.take('introduction');
  }

  private async take(name: string): Promise<void> {
    const { page } = this.session.workbench;
    // Fonts, icons and syntax colours come late.
    await page.waitForTimeout(2_000);
    const file = path.join(all, `${name}-${this.theme}.png`);
    await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' });
    if (committed[name] === this.theme) await copyFile(file, path.join(shown, `${name}.png`));
  }
}

beforeAll(async () => {
  await mkdir(all, { recursive: true });
  await mkdir(shown, { recursive: true });
});

describe.each(Object.entries(themes))('%s', (name, colorTheme) => {
  let session: Session;
  let photographer: Photographer;
  let folder: string;

  beforeAll(async () => {
    folder = await repository();
    const settings = {
      'workbench.colorTheme': colorTheme,
      'editor.minimap.enabled': false,
      'comments.openView': 'never',
    };
    session = await Session.start(inject('vsix'), { opened: { folder }, settings });
    const theme = name === 'light' || name === 'dark' ? name : 'contrast';
    photographer = new Photographer(session, theme, folder);
  });
  afterAll(async () => {
    await session.stop();
    await rm(path.dirname(folder), { recursive: true, force: true });
  });

  test('the repository while it is read', () => photographer.reading());
  test('a conversation', () => photographer.chat());
  test('a question beside the code', () => photographer.inline());
  test('what is remembered', () => photographer.remembered());
  test('the status', () => photographer.status());
  test('the introduction', () => photographer.introduction());
});
