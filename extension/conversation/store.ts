import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { titleOf, type Conversation, type ConversationSummary } from './conversation.js';
import { conversationFromJson, conversationToJson, NewerFile } from './conversation-file.js';

/** A file that could not be read as a conversation. */
export interface UnreadableFile {
  /** Absolute path at which it lies now. */
  readonly file: string;
  readonly reason: string;
}

/** A conversation that cannot be kept; the message is for people. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

interface Entry {
  readonly summary: ConversationSummary;
  /** Lower-case text that a search looks at. */
  readonly searchable: string;
  readonly modified: number;
  readonly bytes: number;
}

/** Largest file of a conversation, bytes. */
const mostBytes = 32 * 2 ** 20;
/** Characters of a conversation that a search looks at. */
const mostSearchable = 200_000;
const suffix = '.json';
const idPattern = /^[a-z0-9-]{1,64}$/;

/**
 * Conversations as JSON files in a folder, one each. Writes are atomic. A file that cannot be read is renamed and told
 * to `onUnreadable`, never deleted; one of a newer version of Locret stays where it is.
 */
export class ConversationStore {
  private readonly entries = new Map<string, Entry>();
  private readonly told = new Set<string>();
  private writing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly folder: string,
    private readonly onUnreadable: (file: UnreadableFile) => void,
    private readonly limit = mostBytes,
  ) {}

  /** All conversations, the one that changed last first. */
  async list(): Promise<ConversationSummary[]> {
    await this.refresh();
    return this.newestFirst([...this.entries.values()]);
  }

  /** Conversations in whose title, questions or answers every word of the text stands; case does not count. */
  async search(text: string): Promise<ConversationSummary[]> {
    await this.refresh();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return this.newestFirst(
      [...this.entries.values()].filter(({ searchable }) => words.every((word) => searchable.includes(word))),
    );
  }

  private newestFirst(entries: Entry[]): ConversationSummary[] {
    return entries.map(({ summary }) => summary).sort((a, b) => b.changed - a.changed);
  }

  /** The conversation of that id; undefined where there is none that can be read. */
  async load(id: string): Promise<Conversation | undefined> {
    if (!idPattern.test(id)) return undefined;
    return this.inOrder(() => this.read(this.fileOf(id), id));
  }

  /**
   * Writes a conversation under its id.
   * @throws StoreError when it is too large
   */
  async save(conversation: Conversation): Promise<void> {
    if (!idPattern.test(conversation.id)) throw new StoreError(`“${conversation.id}” cannot name a conversation.`);
    const text = conversationToJson(conversation);
    if (Buffer.byteLength(text) > this.limit) {
      throw new StoreError(`A conversation may take ${Math.round(this.limit / 2 ** 20)} MB on disk. Start a new one.`);
    }
    await this.inOrder(async () => {
      await mkdir(this.folder, { recursive: true });
      const file = this.fileOf(conversation.id);
      const unfinished = `${file}.new`;
      const handle = await open(unfinished, 'w');
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, file);
    });
  }

  /** Deletes a conversation; nothing happens where there is none. To undo it, save it again. */
  async remove(id: string): Promise<void> {
    if (!idPattern.test(id)) return;
    await this.inOrder(() => rm(this.fileOf(id), { force: true }));
  }

  private fileOf(id: string): string {
    return path.join(this.folder, id + suffix);
  }

  /** Runs one operation on the files after the other. */
  private inOrder<Result>(operation: () => Promise<Result>): Promise<Result> {
    const result = this.writing.then(operation);
    this.writing = result.catch(() => undefined);
    return result;
  }

  /** Reads the files that are new or have changed: another window may share the folder. */
  private refresh(): Promise<void> {
    return this.inOrder(async () => {
      const names = await readdir(this.folder).catch(() => []);
      const ids = new Set(
        names
          .filter((name) => name.endsWith(suffix))
          .map((name) => name.slice(0, -suffix.length))
          .filter((id) => idPattern.test(id)),
      );
      for (const id of this.entries.keys()) if (!ids.has(id)) this.entries.delete(id);
      for (const id of ids) await this.refreshEntry(id);
    });
  }

  private async refreshEntry(id: string): Promise<void> {
    const file = this.fileOf(id);
    const status = await stat(file).catch(() => undefined);
    const known = this.entries.get(id);
    if (status !== undefined && known?.modified === status.mtimeMs && known.bytes === status.size) return;
    const conversation = status === undefined ? undefined : await this.read(file, id);
    if (status === undefined || conversation === undefined) this.entries.delete(id);
    else this.entries.set(id, entryOf(conversation, status.mtimeMs, status.size));
  }

  private async read(file: string, id: string): Promise<Conversation | undefined> {
    try {
      const status = await stat(file).catch(() => undefined);
      if (status === undefined) return undefined;
      if (status.size > this.limit) throw new StoreError(`${status.size} bytes; at most ${this.limit} are read.`);
      const conversation = conversationFromJson(await readFile(file, 'utf8'));
      if (conversation.id !== id) throw new StoreError(`It calls itself “${conversation.id}”.`);
      return conversation;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof NewerFile) this.tell({ file, reason });
      else await this.setAside(file, reason);
      return undefined;
    }
  }

  private async setAside(file: string, reason: string): Promise<void> {
    const aside = `${file}.unreadable-${Date.now()}`;
    const moved = await rename(file, aside).then(
      () => true,
      () => false,
    );
    this.tell({ file: moved ? aside : file, reason });
  }

  /** Tells of a file once. */
  private tell(unreadable: UnreadableFile): void {
    if (this.told.has(unreadable.file)) return;
    this.told.add(unreadable.file);
    this.onUnreadable(unreadable);
  }
}

function entryOf(conversation: Conversation, modified: number, bytes: number): Entry {
  const title = titleOf(conversation);
  const roots = new Set(conversation.turns.flatMap(({ answers }) => answers.map(({ root }) => root.name)));
  const text = [
    title,
    ...roots,
    ...conversation.turns.flatMap(({ question, answers }) => [question, ...answers.map((answer) => answer.text)]),
  ].join('\n');
  return {
    summary: {
      id: conversation.id,
      title,
      changed: conversation.changed,
      turns: conversation.turns.length,
      roots: [...roots],
    },
    searchable: text.slice(0, mostSearchable).toLowerCase(),
    modified,
    bytes,
  };
}
