import { describe, expect, it } from 'vitest';
import { matters } from '../../../../extension/sidecar/watched-files.js';

describe('matters', () => {
  it.each(['/code/a.ts', '/code/.gitignore', '/code/.github/ci.yml', '/code/.git/index', '/code/.git/info/exclude'])(
    'lets the change of %s through',
    (path) => {
      expect(matters(path)).toBe(true);
    },
  );

  it.each(['/code/.git/FETCH_HEAD', '/code/.git/index.lock', '/code/sub/.git/objects/ab/cdef', '/code/.git/logs/HEAD'])(
    'keeps the change of %s away',
    (path) => {
      expect(matters(path)).toBe(false);
    },
  );
});
