"""Training rows: a small repository, recalled definitions, and questions about it.

    python rows.py --units units.pkl --tokenizer DIR --length 512     prints one row

A row is `memory | recall blocks | questions`, in the very form the product streams (see the model card).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
from pathlib import Path

from names import Names
from pieces import Piece, absent_name, facts_of, rename, replace_literals
from questions import WEIGHT, answer, question
from units import Pack, Unit, load_packs

# Kinds of token. KEY: the part of an answer that takes two hops to find (the place of a definition, where its documentation begins).
PAD, CODE, QUESTION, ANSWER, KEY = 0, 1, 2, 3, 4
CHARS_PER_TOKEN = 3.05
MIN_SAMPLE = 110


def key_span(text: str, kind: str, value: object) -> tuple[int, int]:
    """Characters of the answer that are its KEY tokens; (0, 0) if it has none."""
    if kind in ("where", "nodoc"):
        begin = text.rindex(str(value))
        return begin, begin + len(str(value))
    if kind == "doc":
        begin = text.rindex(value[1])
        return begin, begin + 12
    return 0, 0


CALLER = {
    "py": re.compile(r"^\s*(?:async )?def (\w+)"),
    "ts": re.compile(
        r"^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\*?|const)\s+([\w$]+)"
        r"|^(?:\t|  |    )(?:(?:public|private|protected|static|async|override)\s+)*([\w$]+)\s*\([^()]*\).*\{\s*$"
    ),
}


class Row:
    """A rendered repository: text of the memory, text of the recall blocks, and the facts that hold in them.

    A fact is (kind, subject, value, word for the subject's kind, path, number of the recall block that shows it or 0)."""

    def __init__(self, memory: str, blocks: str, facts: list, language: str):
        self.memory, self.blocks, self.facts, self.language = memory, blocks, facts, language


class RowBuilder:
    def __init__(self, packs, tokenizer, seed):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)
        self.names = Names(packs)
        self.by = {lang: [p for p in packs if p.language == lang] for lang in ("py", "ts")}
        self.weights = {lang: [min(len(p.files), 60) ** 0.5 for p in ps] for lang, ps in self.by.items()}

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    # ------------------------------------------------------------------ choosing definitions
    @staticmethod
    def cut(unit, limit, start=0, end=None):
        """Last line (exclusive) such that the text from `start` has at most `limit` characters; None if no cut point fits."""
        lines = unit.lines
        end = len(lines) if end is None else end
        if sum(map(len, lines[start:end])) + end - start <= limit:
            return end
        cuts, best, used = set(unit.cuts), None, 0
        for i in range(start, end):
            used += len(lines[i]) + 1
            if used > limit:
                break
            if i + 1 in cuts and i + 1 > start:
                best = i + 1
        return best

    def memory_pieces(self, pack, chars) -> list[Piece]:
        rng = self.rng
        if chars < 100:
            return []
        paths = list(pack.files)
        wanted = int(rng.lognormvariate(0, 0.5) * (chars / 400) ** 0.75) + 1
        picked = rng.sample(paths, max(1, min(len(paths), 30, wanted)))
        if rng.random() < 0.5:
            picked.sort()
        pieces = []
        left = chars
        for i, path in enumerate(picked):
            share = left / (len(picked) - i) * rng.uniform(0.6, 1.4)
            if share < 90:
                break
            units = pack.files[path]
            candidates = [j for j, u in enumerate(units) if any(f.kind != "import" for f in u.facts)] or list(range(len(units)))
            j = rng.choice(candidates)
            take, used = [], len(path) + 10
            if units[0].kind == "import" and rng.random() < 0.6 and j > 0:
                end = self.cut(units[0], min(share * 0.35, 500))
                if end:
                    take.append(Piece(path, units[0], 0, end, 0, 0))
                    used += len(take[-1].text) + 1
            while j < len(units) and share - used >= 40:
                end = self.cut(units[j], min(share - used, rng.choice([400, 900, 2500])))
                if end:
                    take.append(Piece(path, units[j], 0, end, 0, 0))
                    used += len(take[-1].text) + 2
                elif take:
                    break
                j += 1
            pieces += take
            left -= used if take else 0
        return pieces

    def block_pieces(self, pack, memory, count, chars) -> list[Piece]:
        """Definitions to recall: some that stand in the memory too, some that do not; whole ones or single methods."""
        rng = self.rng
        pieces, seen = [], set()
        paths = list(pack.files)
        near = rng.sample(paths, min(len(paths), rng.choice([1, 2, 4, 8])))
        for _ in range(count * 6):
            if len(pieces) == count:
                break
            shown = [p for p in memory if p.unit.name]
            if shown and rng.random() < 0.35:
                chosen = rng.choice(shown)
                path, unit = chosen.path, chosen.unit
            else:
                path = rng.choice(near)
                named = [u for u in pack.files[path] if u.name and u.facts]
                if not named:
                    continue
                unit = rng.choice(named)
            start, stop = 0, None
            if unit.methods and rng.random() < 0.6:
                start, stop, _ = rng.choice(unit.methods)
            if any(u == id(unit) and (a <= start < b or start <= a) for u, a, b in seen):
                continue
            end = self.cut(unit, max(70, chars / count * rng.uniform(0.7, 1.7)), start, stop)
            if not end:
                continue
            seen.add((id(unit), start, end))
            line = int(math.exp(rng.uniform(0, math.log(1500)))) + start
            pieces.append(Piece(path, unit, start, end, 1, line))
        return pieces

    # ------------------------------------------------------------------ one repository
    def build(self, memory_tokens: float, block_tokens: float, block_count: int, typescript: float = 0.42) -> Row | None:
        rng = self.rng
        lang = "ts" if rng.random() < typescript and self.by["ts"] else "py"
        pack = rng.choices(self.by[lang], self.weights[lang])[0]
        self.names.draw_pool(rng)
        memory = self.memory_pieces(pack, memory_tokens * CHARS_PER_TOKEN)
        blocks = self.block_pieces(pack, memory, block_count, block_tokens * CHARS_PER_TOKEN) if block_count else []
        if not memory and not blocks:
            return None
        pieces = memory + blocks
        for index, piece in enumerate(blocks):
            piece.block = index + 1
        facts = facts_of(pieces)
        replace_literals(rng, self.names, pieces, facts)
        rename(rng, self.names, pieces, facts)
        paths = self.rename_paths(pieces)
        needles = self.add_needles(memory, facts, lang) if not blocks else []
        name = pack.name.split("/")[-1]
        if rng.random() < 0.6:
            name = rng.choice(self.names.words) + rng.choice(["", "-" + rng.choice(self.names.words)])
        gap = rng.choice(["\n", "\n\n", "\n\n\n"]) if lang == "py" else rng.choice(["\n", "\n\n"])
        text = f"<|repo_name|>{name}\n"
        for path in dict.fromkeys(p.path for p in memory):
            text += f"<|file_sep|>{paths[path]}\n" + gap.join(p.text for p in memory if p.path == path).rstrip() + "\n"
        recalled = "".join(f"<|file_sep|>{paths[p.path]}:{p.line}\n{p.text.rstrip()}\n" for p in blocks)
        return Row(text, recalled, self.unambiguous(facts, pieces, paths, text + recalled, lang) + needles, lang)

    def rename_paths(self, pieces):
        rng = self.rng
        renamed, folders = {}, {}
        replace = rng.random() < 0.65
        depth = rng.choice([0, 1, 1, 2, 2, 3])
        for path in dict.fromkeys(p.path for p in pieces):
            parts = path.split("/")
            if replace:
                stem, _, extension = parts[-1].rpartition(".")
                if stem != "__init__" or rng.random() < 0.7:
                    like = rng.choice(["a_b", "a_b", "aB"])
                    file = self.names.make(rng, like, rng.choice([1, 1, 2, 2, 3]))
                    parts[-1] = (re.sub("_", "-", file) if extension != "py" and rng.random() < 0.6 else file) + "." + extension
                kept = min(depth, len(parts) - 1)
                parents = [folders.setdefault(x, rng.choice(self.names.words)) for x in parts[:-1]]
                parts = parents[len(parents) - kept :] + parts[-1:]
            elif len(parts) > 4:
                parts = parts[-4:]
            new = "/".join(parts)
            while new in renamed.values():
                new = "/".join([*parts[:-1], rng.choice(self.names.words) + "_" + parts[-1]])
                parts[-1] = new.rpartition("/")[2]
            renamed[path] = new
        return renamed

    def add_needles(self, memory, facts, lang):
        rng = self.rng
        needles = []
        for _ in range(rng.choice([0, 1, 1, 2])):
            piece = rng.choice(memory)
            word = rng.choice(["passkey", "passkey", "secret code", "token", "magic number"])
            subject = self.names.make(rng, rng.choice(["foo_bar", "FOO", "FooBar"]))
            digits = rng.randint(2, 5)
            number = str(rng.randint(10**digits, 10 ** (digits + 1)))
            value = number if rng.random() < 0.7 else "-".join(rng.choice(self.names.words) for _ in range(2))
            if any(subject == n[1] for n in needles) or any(subject == f.subject for f in facts):
                continue
            piece.text += f"\n{'#' if lang == 'py' else '//'} The {word} for {subject} is {value}."
            needles.append(("needle", subject, (word, value), word, "", 0))
        return needles

    # ------------------------------------------------------------------ facts with one answer
    def unambiguous(self, facts, pieces, paths, text, lang):
        defined: dict[str, set] = {}
        word_of: dict[str, str] = {}
        for f in facts:
            if f.kind == "where":
                defined.setdefault(f.subject, set()).add((f.piece.path, id(f.piece.unit), f.value))
                word_of[f.subject] = f.value
        values: dict[tuple, set] = {}
        for f in facts:
            values.setdefault((f.kind, f.subject), set()).add(json.dumps(f.value))
        documented = {f.subject for f in facts if f.kind == "doc"}
        signature = {f.subject: f.value for f in facts if f.kind == "sig"}
        out = []
        for f in facts:
            kind, subject, value, piece = f.kind, f.subject, f.value, f.piece
            if len(values[kind, subject]) > 1 or (kind != "import" and len(defined.get(subject, ())) != 1):
                continue
            path = paths[piece.path]
            place = f"{path}:{piece.line}" if piece.block else path
            word = word_of.get(subject, f.unit_kind)
            if kind == "where":
                out.append((kind, subject, place, value, path, piece.block))
                comment = ('"""', "'''", "#") if lang == "py" else ("/*", "//")
                if value in ("function", "method", "class") and subject not in documented and not any(c in piece.text for c in comment):
                    out.append(("nodoc", subject, place, value, path, piece.block))
                continue
            if kind == "const":  # quoted as it stands in the source: one contiguous copy
                pattern = r"(?m)^\s*(?:export )?(?:const |let |var )?(" + re.escape(subject) + r"(?:\s*:[^\n=]*)?\s*=\s*" + re.escape(value)
                found = set(re.findall(pattern + r")(?=[\s;]|$)", text))
            elif kind == "base":
                pattern = r"(?m)^(?:export )?(?:default )?(?:declare )?(?:abstract )?((?:class|interface) " + re.escape(subject)
                found = set(re.findall(pattern + r"(?:\([^\n()]*\)|(?:<[^\n]*?>)? extends " + re.escape(value) + r"\b))", text))
            elif kind == "doc":  # in Python the signature leads the copy up to the docstring
                found = {(signature.get(subject, subject) if lang == "py" else subject, value)}
            elif kind == "meth":
                found = {tuple(value)}
            else:
                found = {value}
            if len(found) == 1:
                out.append((kind, subject, found.pop(), word, path, piece.block))
        return out + self.callers(defined, word_of, text, lang)

    @staticmethod
    def callers(defined, word_of, text, lang):
        single = {s for s, places in defined.items() if len(places) == 1}
        callable_names = {s for s in single if word_of[s] in ("function", "method", "class")}
        found: dict[str, list[str]] = {}
        current = None
        pattern = CALLER[lang]
        for line in text.split("\n"):
            match = pattern.match(line)
            if match:
                current = next(g for g in match.groups() if g)
            elif line.startswith("<|file_sep|>") or (line and not line[0].isspace() and line[0] not in ")}]@#/"):
                current = None
            body = pattern.sub("", line) if match else line
            if not current or line.lstrip().startswith(("#", "//", "*", '"""', "class ")):
                continue
            for name in re.findall(r"([A-Za-z_$][\w$]*)\(", body):
                if name in callable_names and current != name and current not in found.setdefault(name, []):
                    found[name].append(current)
        return [
            ("call", s, tuple(v), "function", "", 1) for s, v in found.items() if 1 <= len(v) <= 3 and all(x in single for x in v)
        ]

    # ------------------------------------------------------------------ questions
    def questions(self, row: Row, count: int, none_share: float = 0.1, blocks_only: bool = False, last_share: float = 0.55):
        """[(question, answer, kind, fact)], kinds drawn by WEIGHT, mostly about recalled definitions where there are some; last_share: how
        often they are about the last of them, which is the one that recall thinks most relevant."""
        rng = self.rng
        facts = [f for f in row.facts if f[5] or not blocks_only]
        if row.blocks:
            last = max(f[5] for f in row.facts) if row.facts else 0
            if last and rng.random() < last_share:
                facts = [f for f in facts if f[5] == last]
            elif not blocks_only and rng.random() < 0.8:
                facts = [f for f in facts if f[5]] or facts
        pools: dict[str, list] = {}
        for fact in facts:
            pools.setdefault(fact[0], []).append(fact)
        for pool in pools.values():
            rng.shuffle(pool)
        text = row.memory + row.blocks
        asked, tries = [], 0
        while len(asked) < count and tries < 4 * count:
            tries += 1
            if not pools or rng.random() < none_share:
                if not pools and rng.random() < 0.8:
                    break
                subject = absent_name(rng, self.names, [f[1] for f in facts])
                if subject not in text:
                    fact = ("none", subject, None, "", "", 0)
                    asked.append((question(rng, "none", subject, "", ""), answer("none", subject, None), "none", fact))
                continue
            kinds = list(pools)
            kind = rng.choices(kinds, [WEIGHT[k] for k in kinds])[0]
            fact = pools[kind].pop()
            if not pools[kind]:
                del pools[kind]
            asked.append((question(rng, *(fact[0], fact[1], fact[3], fact[4])), answer(*fact[:3]), kind, fact))
        rng.shuffle(asked)
        return asked

    # ------------------------------------------------------------------ token rows
    def sample(self, length: int, evict: float = 0.0):
        """One row: (ids, kinds of token), both length + 1 long. Room that a repository leaves is filled with another one.
        evict: share of the repositories whose memory lost tokens, as after eviction."""
        ids: list[int] = []
        kinds: list[int] = []
        tries = 0
        while length - len(ids) > MIN_SAMPLE and tries < 8:
            tries += 1
            sample = self.sample_one(length - len(ids), evict)
            if sample is not None:
                ids += sample[0]
                kinds += sample[1]
        padding = length + 1 - len(ids)
        return ids + [0] * padding, kinds + [PAD] * padding

    def sample_one(self, length: int, evict: float):
        """(ids, kinds of token) of one repository with its questions, at most `length` tokens; None if it came out unusable."""
        rng = self.rng
        mode = rng.choices(["recall", "plain", "code"], [0.78, 0.18, 0.04])[0]
        if mode == "recall":
            share = rng.uniform(0.4, 0.66)
            count = rng.choice([1, 1, 2, 2, 3] if length <= 256 else [1, 1, 2, 2, 3, 3, 4, 5, 6])
            block_tokens = min(length * share, count * rng.uniform(35, 110))
            memory_tokens = max(0, length * share - block_tokens) if rng.random() < 0.75 else rng.uniform(0, 60)
            row = self.build(memory_tokens, block_tokens, count)
        else:
            row = self.build(length * (rng.uniform(0.5, 0.75) if mode == "plain" else 0.95), 0, 0)
        if row is None or (mode != "code" and len(row.facts) < 1):
            return None
        memory, blocks = self.ids(row.memory), self.ids(row.blocks)
        evicted = mode == "recall" and rng.random() < evict
        if evicted:
            keep = 1 - rng.uniform(0.1, 0.7)
            memory = memory[:4] + [t for t in memory[4:] if rng.random() < keep]
        if len(memory) + len(blocks) > length - (0 if mode == "code" else 45):
            return None
        asked = []
        if mode != "code":
            space = length - len(memory) - len(blocks)
            asked = self.questions(row, max(1, space // 34 + 1), blocks_only=evicted)
        ids: list[int] = []
        kinds: list[int] = []

        def put(tokens, kind):
            ids.extend(tokens)
            kinds.extend([kind] * len(tokens))

        if asked and rng.random() < 0.05:
            put(self.ids(f"<|im_start|>user\n{asked[0][0]}<|im_end|>\n"), QUESTION)
        put(memory, QUESTION if evicted else CODE)
        put(blocks, CODE)
        for q, a, kind, fact in asked:
            prompt = self.ids(f"<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n")
            reply = self.tokenizer.encode(f"{a}<|im_end|>", add_special_tokens=False)
            if len(ids) + len(prompt) + len(reply.ids) > length:
                continue
            put(prompt, QUESTION)
            begin, end = key_span(a, kind, fact[2])
            ids.extend(reply.ids)
            kinds.extend(KEY if begin <= a_begin < end else ANSWER for a_begin, _ in reply.offsets)
            put(self.ids("\n"), QUESTION)
        if mode == "code":
            return ids[:length], kinds[:length]
        return (ids, kinds) if ANSWER in kinds else None


def main() -> None:
    from tokenizers import Tokenizer

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    builder = RowBuilder(load_packs(arguments.units, held_out=False), tokenizer, arguments.seed)
    row = builder.sample(arguments.length)
    print(tokenizer.decode(row[0], skip_special_tokens=False))


if __name__ == "__main__":
    main()
