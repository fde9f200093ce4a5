import { ObjectReader, UnexpectedShape } from '../../conversation/object-reader.js';
import { remember, remembered } from './extension-link.js';

/** What the page itself remembers while it is hidden: what was typed and where it stood. */
export interface PageMemory {
  readonly draft: string;
  readonly isDeep: boolean;
  /** The conversation that `position` belongs to. */
  readonly conversation: string;
  /** CSS pixels from the top of the conversation; undefined at its end. */
  readonly position?: number | undefined;
  readonly isListOpen: boolean;
}

const nothing: PageMemory = { draft: '', isDeep: false, conversation: '', isListOpen: false };

export function recallPage(): PageMemory {
  try {
    const reader = new ObjectReader(remembered(), 'state');
    return {
      draft: reader.text('draft'),
      isDeep: reader.flag('isDeep'),
      conversation: reader.text('conversation'),
      ...(reader.has('position') ? { position: reader.amount('position') } : {}),
      isListOpen: reader.flag('isListOpen'),
    };
  } catch (error) {
    if (error instanceof UnexpectedShape) return nothing;
    throw error;
  }
}

export function rememberPage(memory: PageMemory): void {
  remember(memory);
}
