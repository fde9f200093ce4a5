/** Something that is asked behind a text. */
export interface Exchange {
  /** Tokens of the question, up to where the answer begins. */
  readonly prompt: readonly number[];
  /** Tokens of the answer; undefined: the model answers itself. */
  readonly answer: readonly number[] | undefined;
}

/** A text of a repository, as the model reads it, and what is asked about it. */
export interface TrainingSample {
  readonly memory: Int32Array;
  readonly exchanges: readonly Exchange[];
}
