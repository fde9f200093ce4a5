/** Longer words are cut: no person wrote them. Bytes. */
const maxWordBytes = 64;
/** Longer numbers are data. */
const maxDigits = 6;

const kinds = { none: 0, digit: 1, letter: 2 } as const;

/** What each byte is in a word: letters, `_`, `$`, and every byte of a character beyond ASCII. */
const kindOfByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[0-9]/.test(character)) return kinds.digit;
  return byte >= 128 || /[A-Za-z_$]/.test(character) ? kinds.letter : kinds.none;
});

const hyphen = 45;

/**
 * Finds the words of a text: identifiers as they are written, plain words, short numbers, and words joined by single
 * hyphens (`max-entries`).
 *
 * @param bytes UTF-8
 * @param onWord gets the bytes from `begin` to before `end`
 */
export function scanWords(
  bytes: Uint8Array,
  from: number,
  to: number,
  onWord: (begin: number, end: number) => void,
): void {
  let at = from;
  while (at < to) {
    const kind = kindOfByte[bytes[at] ?? 0];
    if (kind === kinds.none) {
      at += 1;
      continue;
    }
    const begin = at;
    let hasLetter = kind === kinds.letter;
    at += 1;
    for (; at < to; at += 1) {
      const next = kindOfByte[bytes[at] ?? 0];
      if (next === kinds.none) {
        // A hyphen joins letters to letters; `a - 1`, `--x` and `p->q` are not words.
        const joins =
          hasLetter && bytes[at] === hyphen && at + 1 < to && kindOfByte[bytes[at + 1] ?? 0] === kinds.letter;
        if (!joins) break;
      } else if (next === kinds.letter) {
        hasLetter = true;
      }
    }
    if (!hasLetter && at - begin > maxDigits) continue;
    for (let piece = begin; piece < at;) {
      let end = Math.min(at, piece + maxWordBytes);
      // Not inside a character.
      while (end < at && end > piece + 1 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
      onWord(piece, end);
      piece = end;
    }
  }
}
