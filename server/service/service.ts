import type { Workspace } from '../workspace/workspace.js';
import { asking } from './asking.js';
import type { DocumentOutlines } from './document-outlines.js';
import { reading } from './reading.js';
import { remembered } from './remembered.js';
import { status } from './status.js';
import { training } from './training.js';
import type { Service } from './use-case.js';

/**
 * What can be asked of a workspace. A new use case is a line in the contract (`LocretRequests`) and an entry in one of
 * these tables; whatever carries the service carries it then, too.
 */
export function serviceOf(workspace: Workspace, outlines: DocumentOutlines): Service {
  return {
    ...status(workspace),
    ...reading(workspace),
    ...asking(workspace),
    ...remembered(workspace, outlines),
    ...training(workspace),
  };
}
