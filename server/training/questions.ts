import type { RandomSource } from '../engine/random.js';
import type { Fact, FactKind } from './facts.js';

/** {x} is the quoted name, {w} the word for what it is. */
const phrasings: Readonly<Record<Exclude<FactKind, 'undocumented'>, readonly string[]>> = {
  where: [
    'Where is {x} defined?',
    'Where is the {w} {x} defined?',
    'Which file defines {x}?',
    'In which file is {x}?',
    'Find the definition of {x}.',
    'where is {x}',
    'Which file contains the {w} {x}?',
    'Where can I find {x}?',
    'Where is {x} implemented?',
    'Show me where {x} is defined.',
    'location of {x}',
    'Where does {x} live?',
  ],
  constant: [
    'What is the value of {x}?',
    'What is {x} set to?',
    'value of {x}',
    'Which value does {x} have?',
    'What value is assigned to {x}?',
    'What does {x} equal?',
  ],
  signature: [
    'What are the parameters of {x}?',
    'What is the signature of {x}?',
    'How do I call {x}?',
    'Which arguments does {x} take?',
    'Show the signature of {x}.',
    'parameters of {x}',
    'What arguments does {x} accept?',
    'How is {x} called?',
  ],
  documentation: [
    'What does {x} do?',
    'What is {x} for?',
    'Describe {x}.',
    'Explain {x}.',
    'What does the documentation of {x} say?',
    'What does the {w} {x} do?',
    'What is the purpose of {x}?',
  ],
  methods: [
    'Which methods does {x} have?',
    'What methods does the class {x} define?',
    'List the methods of {x}.',
    'methods of {x}',
  ],
  base: [
    'What is the base class of {x}?',
    'What does {x} extend?',
    'Which class does {x} inherit from?',
    'base class of {x}',
  ],
};

/** How often a kind is asked, relative to the others. */
const questionWeights: Readonly<Record<FactKind, number>> = {
  where: 3,
  signature: 2.2,
  documentation: 2,
  constant: 1.8,
  base: 1,
  methods: 1,
  undocumented: 0.7,
};

const quotes = ['`', '`', '`', '`', '`', '`', '', '', '', '', "'"] as const;

function pick<Item>(items: readonly Item[], random: RandomSource): Item | undefined {
  return items[Math.floor(random() * items.length)];
}

/** One phrasing of the question whose answer is a fact; the name in backticks, bare or in apostrophes. */
export function questionOf({ kind, subject, word }: Fact, random: RandomSource): string {
  const phrasing = pick(phrasings[kind === 'undocumented' ? 'documentation' : kind], random) ?? '{x}';
  const quote = pick(quotes, random) ?? '';
  return phrasing.replaceAll('{x}', () => `${quote}${subject}${quote}`).replaceAll('{w}', word);
}

/** The one right answer: it quotes the source as one piece. */
export function answerOf({ kind, subject, value }: Fact): string {
  switch (kind) {
    case 'where':
      return `\`${subject}\` is defined in \`${value}\`.`;
    case 'signature':
    case 'constant':
    case 'base':
      return `\`${value}\``;
    case 'documentation':
      return value;
    case 'undocumented':
      return `\`${subject}\` has no documentation; it is defined in \`${value}\`.`;
    case 'methods':
      return `\`${subject}\` has the methods ${value}.`;
  }
}

/**
 * Chooses facts to ask about: no two of one name, likelier kinds more often. A name that several definitions have is not
 * asked about: it has no one answer.
 */
export function chooseFacts(facts: readonly Fact[], count: number, random: RandomSource): Fact[] {
  const places = new Map<string, number>();
  for (const { kind, subject } of facts) if (kind === 'where') places.set(subject, (places.get(subject) ?? 0) + 1);
  const drawn = facts
    .filter(({ subject }) => places.get(subject) === 1)
    // Sampling without replacement by exponential waiting times.
    .map((fact) => ({ fact, wait: -Math.log(1 - random()) / questionWeights[fact.kind] }))
    .sort((a, b) => a.wait - b.wait);
  const subjects = new Set<string>();
  const chosen: Fact[] = [];
  for (const { fact } of drawn) {
    if (chosen.length === count) break;
    if (subjects.has(fact.subject)) continue;
    subjects.add(fact.subject);
    chosen.push(fact);
  }
  return chosen;
}
