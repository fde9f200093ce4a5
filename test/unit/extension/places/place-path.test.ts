import { describe, expect, it } from 'vitest';
import { staysInside } from '../../../../extension/places/place-path.js';

describe('staysInside', () => {
  it.each(['a.ts', 'src/deep/a b.ts', '..a/b...c', '.github/ci.yml'])('lets %j through', (path) => {
    expect(staysInside(path, false)).toBe(true);
    expect(staysInside(path, true)).toBe(true);
  });

  it.each(['', '/etc/passwd', '../a.ts', 'src/../../a.ts', 'src/..', './a.ts', 'src//a.ts', 'src/', 'a\0.ts'])(
    'refuses %j',
    (path) => {
      expect(staysInside(path, false)).toBe(false);
      expect(staysInside(path, true)).toBe(false);
    },
  );

  it.each(['C:/Windows/a.ini', 'C:a.ini', '..\\a.ts', 'src\\a.ts', 'a.ts:stream'])(
    'refuses %j on Windows only',
    (path) => {
      expect(staysInside(path, true)).toBe(false);
      expect(staysInside(path, false)).toBe(true);
    },
  );
});
