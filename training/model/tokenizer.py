"""The byte-level BPE tokenizer of the nano model.

    python -m model.tokenizer --units units.pkl --out DIR [--reference FILE]
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.units import load_packs
from rows.base.questions import QUESTIONS

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|repo_name|>", "<|file_sep|>"]
KEYWORDS = (
    "def class import from return if elif else in not and or is for while with as raise except async await lambda yield assert "
    "const let var function new extends implements interface type enum export default throw typeof instanceof public private "
    "protected static readonly case does calls call defined"
).split()
# Keywords and punctuation swallow the blank that follows them, so an identifier is tokenised the same way after `def `, after ` = `,
# after a bracket and inside backticks: lookup then is plain token matching. Classes are written out (no \w, \s, \d), because
# Oniguruma and JavaScript disagree about them beyond ASCII.
WORD = r"\p{L}\p{N}_"
BLANK = r" \t\r\n"
PATTERN = (
    rf" ?(?<![{WORD}])(?:{'|'.join(KEYWORDS)})(?![{WORD}]) ?"
    r"| ?_*(?:[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z])| ?_+| ?[0-9]| ?\p{L}+"
    rf"|[ \t]*[\r\n]+[ \t]*| ?[^{BLANK}{WORD}]+ ?|[ \t]+|\p{{N}}+"
)
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] }}{% else %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def training_texts(packs, rng: random.Random):
    for pack in rng.sample(packs, len(packs)):
        for path in list(pack.files)[: 14 if pack.language == "py" else 60]:
            yield path + "\n" + "\n".join("\n".join(unit.lines[:60]) for unit in pack.files[path])
    for _ in range(3000):
        yield " ".join(rng.choice(phrasings).format(x="`X`", w="function", p="a.py") for phrasings in QUESTIONS.values())


def train_tokenizer(packs, vocabulary: int = 4096) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIALS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_texts(packs, random.Random(1)), trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json with the chat template: a system message is its bare content."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "add_bos_token": False,
        "model_max_length": 32768,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


# Where regular-expression engines and Unicode tables are apt to disagree.
DELICATE = [
    "", " ", "\n", "a  b\t\tc", "naïve café ünïcode_変数 = 'δοκιμή' 🙂👨‍👩‍👧 \u00a0x\u2028y\u3000z\u0085w", "\ufeffdef x():\n\treturn 1\r\n",
    "١٢٣ Ⅷ ½ 12.5e-10", "__init__ __x _y_ fooBarBAZ2Qux HTTPServer", "<|im_start|>user\nWhere is `X`?<|im_end|>\n", "défclass classé class",
    "e\u0301 a\u200bb \x00\x07 ’“”—", "server/memory/policies/eviction.ts:120", "\U0001d538\U00010400", "x" * 300, "_" * 50,
]  # fmt: skip


def reference_texts(packs, tokenizer: Tokenizer, count: int = 300) -> list[dict]:
    """Delicate texts and source files, with their ids and what the ids decode to."""
    rng = random.Random(1)
    texts = list(DELICATE)
    while len(texts) < count:
        units = rng.choice(list(rng.choice(packs).files.values()))
        texts.append("\n".join("\n".join(unit.lines) for unit in units)[:4000])
    references = []
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        references.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    return references


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--reference", type=Path, help="also writes texts with their ids, for check-tokenizer.mjs")
    arguments = parser.parse_args()
    packs = load_packs(arguments.units, held_out=False)
    tokenizer = train_tokenizer(packs, arguments.vocabulary)
    save_tokenizer(tokenizer, arguments.out)
    if arguments.reference:
        arguments.reference.write_text(json.dumps(reference_texts(packs, tokenizer)))


if __name__ == "__main__":
    main()
