import type { RootUri } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { readableFolders } from '../places/places.js';
import type { LocalSidecar } from '../sidecar/local-sidecar.js';
import { whyUnavailableFor, type Command } from './availability.js';
import { chooseRoot } from './choose-root.js';
import { showUnavailable } from './unavailable.js';

/** A root that a link or another feature named as the command's argument; menus pass other things, or nothing. */
export function rootArgument(argument: unknown): RootUri | undefined {
  return readableFolders()
    .map(({ uri }) => uri.toString())
    .find((root) => root === argument);
}

/** Runs a command for the root that was named, or else for the one that is meant; says why where that is not possible. */
export async function forRoot(
  sidecar: LocalSidecar,
  command: Command,
  argument: unknown,
  run: (sidecar: LocalSidecar, root: RootUri) => Promise<void>,
): Promise<void> {
  const root = rootArgument(argument) ?? (await chooseRoot(sidecar));
  if (root === undefined) return;
  const status = sidecar.status.roots.find((candidate) => candidate.root === root);
  const unavailable = status && whyUnavailableFor(command, status, displayLanguage);
  await (unavailable === undefined ? run(sidecar, root) : showUnavailable(unavailable));
}
