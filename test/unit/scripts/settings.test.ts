import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import english from '../../../package.nls.json' with { type: 'json' };
import { configurationOf, restrictedOf } from '../../../scripts/settings/manifest.js';
import { settingsPage } from '../../../scripts/settings/page.js';
import { settings } from '../../../server/contract/settings.js';
import { trainingSettings } from '../../../server/contract/training.js';

describe('what follows from the table of settings (npm run settings writes it)', () => {
  it('is what the manifest offers in VS Code', () => {
    const texts = new Set(Object.keys(english));
    expect(manifest.contributes.configuration).toEqual(configurationOf(settings, texts));
  });

  it('is what a folder may choose only when it is trusted', () => {
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(restrictedOf(settings));
  });

  it('is the page about settings', async () => {
    const page = await readFile(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
    expect(page).toBe(await settingsPage(settings, trainingSettings));
  });
});
