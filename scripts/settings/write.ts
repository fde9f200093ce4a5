import { writeFile } from 'node:fs/promises';
import english from '../../package.nls.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { settings } from '../../server/contract/settings.js';
import { trainingSettings } from '../../server/contract/training.js';
import { configurationOf, restrictedOf } from './manifest.js';
import { settingsPage } from './page.js';

const { capabilities, contributes } = manifest;
const untrustedWorkspaces = { ...capabilities.untrustedWorkspaces, restrictedConfigurations: restrictedOf(settings) };
const written = {
  ...manifest,
  capabilities: { ...capabilities, untrustedWorkspaces },
  contributes: { ...contributes, configuration: configurationOf(settings, new Set(Object.keys(english))) },
};
await writeFile('package.json', `${JSON.stringify(written, undefined, 2)}\n`);
await writeFile('docs/settings.md', await settingsPage(settings, trainingSettings));
