import { describe, expect, it } from 'vitest';
import { sectionOf } from '../../../scripts/release-notes.mjs';

const changelog = `# Changelog

## 0.2.0 - unreleased

- Later.

## 0.1.0 - 2026-12-01

### Added

- The first version.

## 0.0.1 - 2026-11-01

- A trial.
`;

describe('what the changelog says of a version', () => {
  it('is its own section', () => {
    expect(sectionOf(changelog, '0.1.0')).toBe('### Added\n\n- The first version.\n');
    expect(sectionOf(changelog, '0.0.1')).toBe('- A trial.\n');
  });

  it('is missing where no section is about it', () => {
    expect(() => sectionOf(changelog, '0.1')).toThrow('no section "## 0.1 - DATE"');
  });

  it('is not for a release as long as the section has no date', () => {
    expect(() => sectionOf(changelog, '0.2.0')).toThrow('0.2.0 - unreleased');
  });
});
