/** How a repository is written down for a model: what stands before everything, and before each file. */
export interface TextForm {
  /** @param name neutralized, one line */
  repositoryHeader(name: string): string;
  /** @param path neutralized, one line */
  fileHeader(path: string): string;
}

/** With the repository tokens that code models were trained on, as Qwen2.5-Coder's model card describes them. */
export const repositoryTokenForm: TextForm = {
  repositoryHeader: (name) => `<|repo_name|>${name}\n`,
  fileHeader: (path) => `<|file_sep|>${path}\n`,
};

/** For models whose tokenizer has no repository tokens. */
export const plainForm: TextForm = {
  repositoryHeader: (name) => `# Repository: ${name}\n`,
  fileHeader: (path) => `\n=== ${path} ===\n`,
};
