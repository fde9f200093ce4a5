/**
 * Compares the tokenizer that the product uses with the one the model was trained with.
 *
 *     python -m model.tokenizer --units units.pkl --out DIR --reference reference.json
 *     node model/check-tokenizer.mjs DIR reference.json
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Tokenizer } from '@huggingface/tokenizers';

const [folder, reference] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const tokenizer = new Tokenizer(read(join(folder, 'tokenizer.json')), read(join(folder, 'tokenizer_config.json')));

const texts = read(reference);
let different = 0;
for (const { text, ids, decoded } of texts) {
  const encoded = tokenizer.encode(text, { add_special_tokens: false }).ids;
  const back = ids.length === 0 ? '' : tokenizer.decode(ids, { skip_special_tokens: false });
  if (encoded.length !== ids.length || encoded.some((id, i) => id !== ids[i]) || back !== decoded) {
    different += 1;
    console.error(`differs: ${JSON.stringify(text.slice(0, 100))}`);
  }
}
console.log(`${texts.length} texts, ${different} differ`);
process.exitCode = different === 0 ? 0 : 1;
