/** Words that name nothing in the common languages: under the cursor they mean the definition around them. */
const reserved = new Set(
  (
    'abstract and as assert async await base begin bool boolean break byte case catch char class const continue def ' +
    'default defer delete do double elif else elsif end enum except export extends extern false final finally float ' +
    'fn for foreach from func function global go goto if impl implements import in instanceof int interface is lambda ' +
    'let long match mod module mut namespace new nil none not null number object of operator or override package pass ' +
    'private protected pub public raise readonly ref require return self short signed sizeof static string struct ' +
    'super switch template this throw throws trait true try type typedef typeof undefined union unsigned until use ' +
    'using var virtual void volatile when where while with yield'
  ).split(' '),
);

/** True when a word under the cursor is a name that one can ask about. */
export function namesSomething(word: string): boolean {
  return /^[\p{L}_$][\p{L}\p{N}_$]+$/u.test(word) && !reserved.has(word.toLowerCase());
}

/** The question about a definition, in the form that the bundled model knows. */
export function questionAbout(name: string): string {
  return `What does \`${name.replaceAll('`', '')}\` do?`;
}
