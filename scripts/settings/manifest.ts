import type { Kind } from '../../server/contract/kinds.js';
import type { ReadingSetting } from '../../server/contract/settings.js';

/** Settings by name. */
export type Table = Readonly<Record<string, ReadingSetting>>;

const sections = ['model', 'memory', 'answers'] as const;

/** The values of a setting as a JSON schema; words are left to whoever knows what they are called. */
function schemaOf({ form, least, most }: Kind<unknown>) {
  const range = { minimum: least, ...(most === Infinity ? {} : { maximum: most }) };
  switch (form) {
    case 'text':
    case 'path':
    case 'word':
      return { type: 'string' };
    case 'flag':
      return { type: 'boolean' };
    case 'number':
      return { type: 'number', ...range };
    case 'whole number':
      return { type: 'integer', ...range };
    case 'list':
      return { type: 'array', items: { type: 'string' } };
  }
}

/** The words of a setting with what each means, where there is a text that says so. */
function wordsOf(name: string, words: readonly string[], texts: ReadonlySet<string>) {
  const keys = words.map((word) => `setting.${name}.${word}`).filter((key) => texts.has(key));
  return { enum: words, meanings: keys.length === 0 ? {} : { enumDescriptions: keys.map((key) => `%${key}%`) } };
}

function propertyOf(name: string, { kind, offer = {}, default: written }: ReadingSetting, texts: ReadonlySet<string>) {
  const { automatic } = offer;
  const scope = offer.ofFolder === true ? 'window' : 'machine-overridable';
  const byDefault = { default: written ?? automatic };
  const description = { markdownDescription: `%setting.${name}%` };
  const schema = schemaOf(kind);
  if (kind.words !== undefined) {
    const { meanings, ...words } = wordsOf(name, [...new Set([automatic ?? [], ...kind.words].flat())], texts);
    return { scope, ...schema, ...words, ...byDefault, ...meanings, ...description };
  }
  if (automatic === undefined || schema.type === 'string') return { scope, ...schema, ...byDefault, ...description };
  const either = { type: ['string', schema.type], anyOf: [{ enum: [automatic] }, schema] };
  return { scope, ...either, ...byDefault, ...description };
}

/**
 * VS Code's settings: `contributes.configuration` of package.json.
 * @param texts keys of package.nls.json
 */
export function configurationOf(table: Table, texts: ReadonlySet<string>) {
  let order = 0;
  return sections.map((section, index) => {
    const offered = Object.entries(table).filter(([, { of, offer }]) => of === section && offer !== undefined);
    const properties = Object.fromEntries(
      offered.map(([name, setting]) => [`locret.${name}`, { order: ++order, ...propertyOf(name, setting, texts) }]),
    );
    return { title: `%settings.${section}%`, order: index + 1, properties };
  });
}

/** What a folder may choose only when the user trusts it. */
export function restrictedOf(table: Table): string[] {
  return Object.entries(table).flatMap(([name, { offer }]) => (offer?.needsTrust === true ? [`locret.${name}`] : []));
}
