import type { AskPartial } from '../contract/answers.js';

/** Tokens come one by one; a client is told of them in batches that an eye cannot tell apart. */
const batchMilliseconds = 30;

/** Sends text in batches; everything else at once, in its order. */
export class PartialSender {
  private text = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly send: (partial: AskPartial) => void) {}

  push(partial: AskPartial): void {
    if (partial.kind !== 'text') {
      this.flush();
      this.send(partial);
      return;
    }
    this.text += partial.text;
    this.timer ??= setTimeout(() => {
      this.flush();
    }, batchMilliseconds);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text !== '') this.send({ kind: 'text', text: this.text });
    this.text = '';
  }
}
