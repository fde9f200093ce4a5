"""Rows in the form in which the product asks: recalled definitions behind a memory, then a conversation.

    python recall_rows.py --units units.pkl --tokenizer DIR     prints one row

A world is an invented repository: a package under other paths. Its files are streamed into a memory; its rows are up to six recalled
definitions, the best one last, and several conversations, each of which follows the definitions independently of the others.
"""

from __future__ import annotations

import argparse
import random
import re
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from names import Names
from paths import invented_line
from pieces import Piece, ShownFact, absent_name, facts_of, mixed_name, rename, replace_literals, substitute
from recall_questions import ENGLISH, GERMAN, IT, THIS, WEIGHT, answer, key_span, question
from rows import ANSWER, CODE, KEY, QUESTION
from units import Pack, load_packs
from world import World

LANGUAGE_SHARE = {"ts": 0.42, "py": 0.33, "go": 0.1, "rust": 0.1, "java": 0.05}
COMMENT = {"py": ('"""', "'''", "#")}
USUAL_COMMENT = ("/*", "//")
# Share of the rows without recalled definitions, as behind a question about what is not there; of those about a file.
EMPTY_SHARE, FILE_SHARE = 0.16, 0.05
# Share of the conversations that begin with a turn about something else.
EARLIER_SHARE = 0.25


@dataclass
class Fact:
    """Something a recalled definition shows. `place`: its block's header; `block`: its number, from 1; `main`: about the definition
    itself, not about something inside it."""

    kind: str
    subject: str
    value: object
    word: str
    place: str
    block: int
    main: bool


@dataclass
class Conversation:
    """Tokens of one or two turns, the kind of each token, and what kind of question each turn asks."""

    ids: list[int]
    kinds: list[int]
    asked: list[str]


@dataclass
class Row:
    """Tokens of the recalled definitions, and conversations behind them."""

    context: list[int]
    conversations: list[Conversation]

    def __len__(self) -> int:
        return len(self.context) + sum(len(conversation.ids) for conversation in self.conversations)


def joined(first: Conversation, second: Conversation, between: list[int]) -> Conversation:
    kinds = first.kinds + [QUESTION] * len(between) + second.kinds
    return Conversation(first.ids + between + second.ids, kinds, first.asked + second.asked)


class RecallRowBuilder:
    def __init__(self, packs: list[Pack], names: Names, tokenizer: Tokenizer, seed: int):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)
        self.names = names
        self.packs = {language: [p for p in packs if p.language == language] for language in LANGUAGE_SHARE}
        self.languages = [language for language in LANGUAGE_SHARE if self.packs[language]]

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def world(self) -> World:
        language = self.rng.choices(self.languages, [LANGUAGE_SHARE[x] for x in self.languages])[0]
        packs = self.packs[language]
        return World(self.rng.choices(packs, [min(len(p.files), 60) ** 0.5 for p in packs])[0], self.names, self.rng)

    # ------------------------------------------------------------------ facts
    def facts(self, world: World, pieces: list[Piece]) -> list[Fact]:
        """Renames identifiers, replaces literals, and tells what then holds. Of definitions of one name the last one counts."""
        found = facts_of(pieces)
        replace_literals(self.rng, self.names, pieces, found)
        rename(self.rng, self.names, pieces, found)
        self.share_a_name(pieces, found)
        by_name: dict[str, list[ShownFact]] = {}
        for fact in found:
            if fact.kind == "where":
                by_name.setdefault(fact.subject, []).append(fact)
        facts: list[Fact] = []
        for subject, places in by_name.items():
            block = max(f.piece.block for f in places)
            last = [f for f in places if f.piece.block == block]
            if len(last) == 1:
                own = [f for f in found if f.subject == subject and f.piece.block == block]
                facts += self.facts_about(world, last[0], own)
        return facts

    def share_a_name(self, pieces: list[Piece], found: list[ShownFact]) -> None:
        """Sometimes another definition is given the name of the best one."""
        mains = [f for piece in pieces if (f := self.main_fact(piece, found))]
        if len(mains) < 2 or self.rng.random() > 0.15:
            return
        name, other = mains[-1].subject, self.rng.choice(mains[:-1])
        if not re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", other.piece.text):
            own = [f for f in found if f.piece is other.piece]
            substitute({other.subject: name}, [other.piece], own)

    @staticmethod
    def main_fact(piece: Piece, found: list[ShownFact]) -> ShownFact | None:
        """Where the definition itself stands that a piece shows, not what is inside it."""
        places = [f for f in found if f.kind == "where" and f.piece is piece]
        return min(places, key=lambda f: f.needs) if places else None

    def facts_about(self, world: World, where: ShownFact, own: list[ShownFact]) -> list[Fact]:
        """own: all facts of the subject that its block shows"""
        piece, subject, word = where.piece, where.subject, str(where.value)
        place = f"{world.paths[piece.path]}:{piece.line}"
        main = where.needs == min(f.line for f in piece.unit.facts if f.kind == "where" and piece.start <= f.line < piece.end)
        values: dict[str, list] = {}
        for fact in own:
            values.setdefault(fact.kind, []).append(fact.value)
        facts = [Fact("where", subject, place, word, place, piece.block, main), Fact("call", subject, place, word, place, piece.block, main)]
        comment = COMMENT.get(world.pack.language, USUAL_COMMENT)
        if "doc" not in values and not any(c in piece.text for c in comment):
            shown = values["sig"][0] if len(values.get("sig", [])) == 1 else subject
            facts.append(Fact("nodoc", subject, shown, word, place, piece.block, main))
        for kind in ("sig", "doc", "const", "ret", "raise", "base", "meth"):
            if len(values.get(kind, [])) != 1:
                continue
            value = values[kind][0]
            if kind in ("const", "base"):
                value = self.declaration(piece.text, kind, subject, value)
            if value and (kind != "doc" or self.shows(piece.text, value)):
                facts.append(Fact(kind, subject, value, word, "", piece.block, main))
        return facts

    @staticmethod
    def shows(text: str, sentence: str) -> bool:
        """Whether the text holds the sentence, over several lines of a comment or docstring if need be."""
        return sentence in re.sub(r"\s*\n\s*(?://[/!]?|\*(?!/)|#)?\s*", " ", text)

    @staticmethod
    def declaration(text: str, kind: str, subject: str, value: str) -> str | None:
        """The piece of source that an answer about a constant or a base class quotes."""
        if kind == "const":
            front = r"(?m)^\s*(?:export |pub |public |static |final )*(?:const |let |var |val )?("
            pattern = front + re.escape(subject) + r"(?:\s*:[^\n=]*)?\s*=\s*" + re.escape(value) + r")(?=[\s;,]|$)"
        else:
            front = r"(?m)^(?:export )?(?:default )?(?:declare )?(?:abstract )?((?:class|interface) "
            pattern = front + re.escape(subject) + r"(?:\([^\n()]*\)|(?:<[^\n]*?>)? extends " + re.escape(value) + r"\b))"
        found = set(re.findall(pattern, text))
        return found.pop() if len(found) == 1 else None

    # ------------------------------------------------------------------ conversations
    def turn(self, text: str, reply: str, kind: str, value: object, place: str) -> Conversation:
        prompt = self.ids(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n")
        encoded = self.tokenizer.encode(f"{reply}<|im_end|>", add_special_tokens=False)
        begin, end = key_span(reply, kind, value, place)
        kinds = [KEY if begin <= first < end else ANSWER for first, _ in encoded.offsets]
        return Conversation(prompt + encoded.ids, [QUESTION] * len(prompt) + kinds, [kind])

    def about(self, fact: Fact, phrases: dict[str, list[str]], german: bool) -> Conversation | None:
        text = question(self.rng, fact.kind, fact.subject, fact.word, phrases)
        if text is None:
            return None
        return self.turn(text, answer(fact.kind, fact.subject, fact.value, fact.place, german), fact.kind, fact.value, fact.place)

    def absent(self, facts: list[Fact], text: str) -> Conversation | None:
        rng = self.rng
        german = rng.random() < 0.08
        present = sorted({f.subject for f in facts if re.fullmatch(r"[\w$]+", f.subject)})
        if len(present) > 1 and rng.random() < 0.4:
            subject = mixed_name(*rng.sample(present, 2))
        else:
            subject = absent_name(rng, self.names, present)
        if subject in text:
            return None
        kind = rng.choice(["where", "where", "where", "sig", "sig", "doc", "doc", "doc", "ret", "const", "meth", "call", "base"])
        word = "class" if subject[:1].isupper() and not subject.isupper() else "constant" if subject.isupper() else "function"
        asked = question(rng, kind, subject, word, GERMAN if german else ENGLISH)
        return self.turn(asked, answer("none", subject, None, "", german), "none", None, "") if asked else None

    def general(self, facts: list[Fact]) -> Conversation:
        rng = self.rng
        german = rng.random() < 0.08
        text = rng.choice((GERMAN if german else ENGLISH)["general"])
        while "{t}" in text:
            words = " ".join(rng.choice(self.names.words) for _ in range(rng.randint(1, 3)))
            text = text.replace("{t}", rng.choice(["", "", "the "]) + words, 1)
        last = max((f.block for f in facts), default=0)
        shown = [f for f in facts if f.kind == "where" and f.main and f.block == last]
        subject, place = (shown[0].subject, shown[0].place) if shown else ("", "")
        return self.turn(text, answer("general", subject, None, place, german), "general", None, place)

    def earlier_turn(self, world: World, facts: list[Fact], text: str) -> Conversation | None:
        """A turn about something else, which may or may not be among the recalled definitions; nothing in it is to be learned."""
        rng = self.rng
        german = rng.random() < 0.08
        phrases = GERMAN if german else ENGLISH
        present = sorted({f.subject for f in facts if re.fullmatch(r"[\w$]+", f.subject)})
        draw = rng.random()
        if draw < 0.35 and facts:
            made = self.about(rng.choice(facts), phrases, german)
        elif draw < 0.45:
            made = self.absent(facts, text)
        else:
            subject = self.names.make(rng, rng.choice(present) if present else "foo_bar")
            place = f"{rng.choice(list(world.paths.values()))}:{invented_line(rng)}"
            kind = rng.choice(["where", "where", "nodoc", "call"])
            asked = question(rng, kind, subject, "function", phrases)
            made = self.turn(asked, answer(kind, subject, subject, place, german), kind, None, "") if asked and subject not in text else None
        return made and Conversation(made.ids, [QUESTION] * len(made.ids), [])

    def conversation(self, world: World, facts: list[Fact], text: str, has_selection: bool) -> Conversation | None:
        """A question, or two about one thing; every fourth time behind a turn about something else."""
        made = self.questions(facts, text, has_selection)
        if made is None or self.rng.random() > EARLIER_SHARE:
            return made
        earlier = self.earlier_turn(world, facts, text)
        return joined(earlier, made, self.ids("\n")) if earlier else made

    def questions(self, facts: list[Fact], text: str, has_selection: bool) -> Conversation | None:
        """One or two turns; about the last definition four times of five."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.04 or (not facts and draw < 0.35):
            return self.general(facts)
        if draw < 0.19 or not facts:
            return self.absent(facts, text)
        last = max(f.block for f in facts)
        near = [f for f in facts if f.block == last] if rng.random() < 0.8 else facts
        near = [f for f in near if f.main] or near if rng.random() < 0.85 else near
        kinds = sorted({f.kind for f in near})
        kind = rng.choices(kinds, [WEIGHT[k] for k in kinds])[0]
        fact = rng.choice([f for f in near if f.kind == kind])
        if kind in ("call", "file", "lines") or rng.random() < 0.5:
            facts.remove(fact)  # another repository teaches more than the same answer again
        german = rng.random() < 0.08
        is_this = kind == "lines" or (fact.main and fact.block == last and rng.random() < (0.5 if has_selection else 0.06))
        first = self.about(fact, THIS, german) if is_this else self.about(fact, GERMAN if german else ENGLISH, german)
        others = [f for f in facts if f.subject == fact.subject and f.kind != fact.kind and f.block == fact.block and f.kind in (*IT, "nodoc")]
        if first is None or not others or rng.random() < 0.85:
            return first
        second = self.about(rng.choice(others), IT if rng.random() < 0.6 else ENGLISH, False)
        if second is None:
            return first
        return joined(first, second, self.ids("\n"))

    def row(self, world: World, length: int) -> Row | None:
        """At most `length` tokens in all; None if nothing fits."""
        rng = self.rng
        self.names.words = world.words
        draw = rng.random()
        facts: list[Fact] = []
        pieces: list[Piece] = []
        if EMPTY_SHARE <= draw < EMPTY_SHARE + FILE_SHARE and (found := world.file_piece()):
            piece, names = found
            pieces = [piece]
            path = world.paths[piece.path]
            facts = [Fact("file", path, names, "", "", 1, True)]
        elif draw >= EMPTY_SHARE:
            pieces = world.pieces()
            if not pieces:
                return None
            facts = self.facts(world, pieces)
            last = pieces[-1]
            if not any(f.kind == "where" and last.start <= f.line < last.end for f in last.unit.facts):
                place = f"{world.paths[last.path]}:{last.line}"
                facts.append(Fact("lines", "", "", "", place, last.block, True))
        text = "".join(f"<|file_sep|>{world.paths[p.path]}:{p.line}\n{p.text}\n" for p in pieces)
        context = self.ids(text)
        row = Row(self.ids(text), [])
        most = 99 if pieces else 2
        has_selection = any(f.kind == "lines" for f in facts)
        for _ in range(24):
            made = self.conversation(world, facts, text, has_selection)
            if made is None:
                continue
            if len(row) + len(made.ids) > length or len(row.conversations) == most:
                break
            row.conversations.append(made)
        return row if row.conversations else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--length", type=int, default=448)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    packs = load_packs(arguments.units, held_out=False)
    builder = RecallRowBuilder(packs, Names(packs), tokenizer, arguments.seed)
    row = builder.row(builder.world(), arguments.length)
    if row is None:
        raise SystemExit("this seed makes no row; take another one")
    print(tokenizer.decode(row.context, skip_special_tokens=False))
    for conversation in row.conversations:
        print("-" * 20)
        print(tokenizer.decode(conversation.ids, skip_special_tokens=False))


if __name__ == "__main__":
    main()
