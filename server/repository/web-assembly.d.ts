/** What the parser's memory needs of WebAssembly, whose types come with browsers only. */
declare namespace WebAssembly {
  class Memory {
    /** Sizes are in pages of 64 KiB. */
    constructor(size: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
  }
}
