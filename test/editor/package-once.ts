import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { packageExtension } from '../../scripts/package.mjs';
import { ownTarget } from '../../scripts/package/targets.mjs';
import { editorCache, installEditor } from './installation/editor-installation.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The packaged extension of this platform. */
    vsix: string;
  }
}

/** Installs the editor under test and packages the extension, once for all tests. */
export default async function setup(project: TestProject): Promise<void> {
  await installEditor();
  project.provide('vsix', await packageExtension(ownTarget, path.join(editorCache, 'locret.vsix')));
}
