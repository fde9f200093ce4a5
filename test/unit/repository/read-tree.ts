import { streamRepository } from '../../../server/repository/stream.js';
import { surveyRepository } from '../../../server/repository/survey.js';
import { plainForm } from '../../../server/repository/text-form.js';

/** Surveys and streams the folder named on the command line, and prints what it took. */
const options = { maxFileBytes: 1 << 30, exclude: [], include: [] };
const survey = await surveyRepository(process.argv[2] ?? '', options);
let characters = 0;
let longest = 0;
for await (const segment of streamRepository(survey, { form: plainForm, neutralize: (text) => text })) {
  characters += segment.text.length;
  longest = Math.max(longest, segment.text.length);
}
const residentMegabytes = process.resourceUsage().maxRSS / 1024;
if (residentMegabytes > 256) throw new Error(`${residentMegabytes} MB were resident`);
console.log(JSON.stringify({ files: survey.files.length, characters, longest }));
