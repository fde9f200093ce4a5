import path from 'node:path';

/** What the path of a file says about its part in a repository. */
export type PathKind = 'source' | 'test' | 'example' | 'document' | 'changes' | 'data' | 'declarations';

const testFolder = /(?:^|\/)(?:tests?|__tests__|specs?|e2e|testing|testdata|fixtures?|mocks?|__mocks__|t)\//i;
const testName =
  /(?:^|\/)(?:test_[^/]*|conftest\.py|tests?\.[^/]*)$|[._-](?:test|tests|spec|specs|e2e)\.[^/]*$|(?:Test|Tests|Spec)\.(?:java|kt|scala|cs|swift|php)$/;
const exampleFolder = /(?:^|\/)(?:examples?|demos?|samples?|benchmarks?|bench(?:es)?)\//i;
const changesName =
  /(?:^|\/)(?:changes?|changelog|history|news|release[-_]?notes?|whats[-_]?new)(?:[-_.][^/]*)?$|(?:^|\/)(?:changelog|whatsnew|newsfragments|releasenotes|release[-_]notes|\.changes?)\//i;
const documentName =
  /\.(?:md|mdx|markdown|rst|rest|txt|adoc|asciidoc|org|tex|pod|rdoc|textile)$|(?:^|\/)(?:readme|license|copying|authors|contributors|notice|contributing)[^/]*$/i;
const dataName =
  /\.(?:json|jsonc|json5|ya?ml|toml|ini|cfg|conf|properties|env|xml|csv|tsv|svg|html?|css|s[ac]ss|less|lock|ipynb|po|xlf|plist)$/i;
const declarationsName = /\.pyi$|\.d\.[cm]?ts$|\.test-d\.ts$|(?:^|\/)__init__\.py$/;

/** True for tests and their fixtures: they use what others define. */
export function isTestPath(filePath: string): boolean {
  return testFolder.test(filePath) || testName.test(filePath);
}

/** What a file is, by its path alone. */
export function pathKindOf(filePath: string): PathKind {
  if (changesName.test(filePath)) return 'changes';
  if (isTestPath(filePath)) return 'test';
  if (exampleFolder.test(filePath)) return 'example';
  if (documentName.test(filePath)) return 'document';
  if (dataName.test(filePath)) return 'data';
  return declarationsName.test(filePath) ? 'declarations' : 'source';
}

/** A file's name without folders, extensions and what marks a test: `test/res.redirect.test.js` is `res.redirect`. */
export function stemOf(filePath: string): string {
  const name = path.posix.basename(filePath);
  return name
    .replace(/(?<=.)\.[^.]*$/, '')
    .replace(/^tests?[_-]|[._-](?:tests?|specs?|d)$|(?<=\p{Ll})(?:Test|Tests|Spec)$/gu, '');
}
