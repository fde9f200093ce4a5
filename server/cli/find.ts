import type { Command } from 'commander';
import { RepositorySearch } from '../search/repository-search.js';
import type { Place } from '../search/place.js';
import { interruptSignal, printable } from './exit.js';
import { oneParagraph } from './format.js';
import { withSurveyOptions, wholeNumber, type SurveyChoice } from './options.js';

const description = `
Finds places in a repository: definitions, keys, headings, flags, files and whatever else has the words, best first, each
with its line. Names may be misspelt; a question works as well as a name. No model is needed and nothing is kept: all texts
are searched as they are. What begins with a hyphen is asked for behind --, as in: locret find -- --max-retries`;

interface FindCommandOptions extends SurveyChoice {
  readonly limit: number;
  readonly json?: boolean;
}

/** What programs get of a place. */
function placeToJson({ path, line, endLine, name, text, why }: Place): object {
  return { path, line, endLine, ...(name === undefined ? {} : { name }), text, why };
}

function renderPlace({ path, line, name, text, why }: Place): string {
  const title = [`${path}:${line}`, ...(name === undefined ? [] : [name])].join('  ');
  return `${title}  (${why})\n    ${text.trim()}\n`;
}

async function run(words: readonly string[], options: FindCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const { repo, include, exclude, maxFileSize } = options;
  const search = await RepositorySearch.open(repo, { include, exclude, maxFileBytes: maxFileSize }, { signal });
  const places = await search.find(words.join(' '), { limit: options.limit, signal });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ places: places.map(placeToJson) }, null, 2)}\n`);
  } else if (places.length === 0) {
    process.stdout.write(`Nothing in ${search.survey.files.length} files has any of these words.\n`);
  } else {
    process.stdout.write(printable(places.map(renderPlace).join('')));
  }
}

/** Adds `locret find`. */
export function registerFind(program: Command): void {
  withSurveyOptions(program.command('find').summary('find places by name or in words, without a model'))
    .description(oneParagraph(description))
    .argument('<query...>', 'a name, words or a question')
    .option('--limit <n>', 'places, at most', wholeNumber(1), 20)
    .option('--json', 'print one JSON object: places, each with path, line, endLine, name, text, why')
    .action(run);
}
