import path from 'node:path';

/** The grammars an outline can come from; C is parsed by the grammar of C++. */
export type Grammar =
  | 'typescript'
  | 'tsx'
  | 'javascript'
  | 'python'
  | 'rust'
  | 'go'
  | 'java'
  | 'cpp'
  | 'c-sharp'
  | 'ruby'
  | 'php'
  | 'bash'
  | 'powershell';

const grammarByExtension: ReadonlyMap<string, Grammar> = new Map<string, Grammar>([
  ['.ts', 'typescript'],
  ['.mts', 'typescript'],
  ['.cts', 'typescript'],
  ['.tsx', 'tsx'],
  ['.js', 'javascript'],
  ['.mjs', 'javascript'],
  ['.cjs', 'javascript'],
  ['.jsx', 'javascript'],
  ['.py', 'python'],
  ['.pyi', 'python'],
  ['.pyw', 'python'],
  ['.rs', 'rust'],
  ['.go', 'go'],
  ['.java', 'java'],
  ['.c', 'cpp'],
  ['.h', 'cpp'],
  ['.cc', 'cpp'],
  ['.cpp', 'cpp'],
  ['.cxx', 'cpp'],
  ['.c++', 'cpp'],
  ['.hh', 'cpp'],
  ['.hpp', 'cpp'],
  ['.hxx', 'cpp'],
  ['.h++', 'cpp'],
  ['.inl', 'cpp'],
  ['.ipp', 'cpp'],
  ['.cu', 'cpp'],
  ['.cuh', 'cpp'],
  ['.cs', 'c-sharp'],
  ['.csx', 'c-sharp'],
  ['.rb', 'ruby'],
  ['.rake', 'ruby'],
  ['.gemspec', 'ruby'],
  ['.php', 'php'],
  ['.phtml', 'php'],
  ['.sh', 'bash'],
  ['.bash', 'bash'],
  ['.zsh', 'bash'],
  ['.bats', 'bash'],
  ['.ps1', 'powershell'],
  ['.psm1', 'powershell'],
]);

const grammarByName: ReadonlyMap<string, Grammar> = new Map<string, Grammar>([
  ['Gemfile', 'ruby'],
  ['Rakefile', 'ruby'],
  ['SConstruct', 'python'],
  ['wscript', 'python'],
]);

/** The grammar of a file, by its name; undefined for files without one. */
export function languageOf(filePath: string): Grammar | undefined {
  const name = path.posix.basename(filePath);
  return grammarByName.get(name) ?? grammarByExtension.get(path.posix.extname(name).toLowerCase());
}
