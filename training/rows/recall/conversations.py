"""Conversations about recalled definitions: a question, or two about one thing, sometimes behind a turn about something else."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from tokenizers import Tokenizer

from rows.names import Names
from rows.paths import invented_line
from rows.pieces import absent_name, mixed_name
from rows.recall.facts import Fact
from rows.recall.questions import (
    ENGLISH,
    GERMAN,
    IT,
    THIS,
    WEIGHT,
    answer,
    key_span,
    question,
)
from rows.recall.world import World
from rows.token_kinds import ANSWER, KEY, QUESTION

GERMAN_SHARE = 0.08
# Share of the conversations that begin with a turn about something else.
EARLIER_SHARE = 0.25
# What an absent name is asked about.
ABSENT_KINDS = ["where", "where", "where", "sig", "sig", "doc", "doc", "doc", "ret", "const", "meth", "call", "base"]


@dataclass
class Conversation:
    """Tokens of one or two turns, the kind of each token, and what kind of question each turn asks."""

    ids: list[int]
    kinds: list[int]
    asked: list[str]


def joined(first: Conversation, second: Conversation, between: list[int]) -> Conversation:
    kinds = first.kinds + [QUESTION] * len(between) + second.kinds
    return Conversation(first.ids + between + second.ids, kinds, first.asked + second.asked)


def present_names(facts: list[Fact]) -> list[str]:
    return sorted({fact.subject for fact in facts if re.fullmatch(r"[\w$]+", fact.subject)})


class ConversationBuilder:
    def __init__(self, rng: random.Random, names: Names, tokenizer: Tokenizer):
        self.rng, self.names, self.tokenizer = rng, names, tokenizer

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def turn(self, text: str, reply: str, kind: str, value: object, place: str) -> Conversation:
        prompt = self.ids(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n")
        encoded = self.tokenizer.encode(f"{reply}<|im_end|>", add_special_tokens=False)
        begin, end = key_span(reply, kind, value, place)
        kinds = [KEY if begin <= first < end else ANSWER for first, _ in encoded.offsets]
        return Conversation(prompt + encoded.ids, [QUESTION] * len(prompt) + kinds, [kind])

    def about(self, fact: Fact, phrases: dict[str, list[str]], german: bool) -> Conversation | None:
        """None if there is no phrasing for it."""
        text = question(self.rng, fact.kind, fact.subject, fact.word, phrases)
        if text is None:
            return None
        return self.turn(text, answer(fact.kind, fact.subject, fact.value, fact.place, german), fact.kind, fact.value, fact.place)

    def absent(self, facts: list[Fact], text: str) -> Conversation | None:
        """About a name like those present that is not there; None if it is there after all."""
        rng = self.rng
        german = rng.random() < GERMAN_SHARE
        present = present_names(facts)
        if len(present) > 1 and rng.random() < 0.4:
            subject = mixed_name(*rng.sample(present, 2))
        else:
            subject = absent_name(rng, self.names, present)
        if subject in text:
            return None
        kind = rng.choice(ABSENT_KINDS)
        word = "class" if subject[:1].isupper() and not subject.isupper() else "constant" if subject.isupper() else "function"
        asked = question(rng, kind, subject, word, GERMAN if german else ENGLISH)
        return self.turn(asked, answer("none", subject, None, "", german), "none", None, "") if asked else None

    def general(self, facts: list[Fact]) -> Conversation:
        """A question that names nothing; the answer says so, and where the best definition stands."""
        rng = self.rng
        german = rng.random() < GERMAN_SHARE
        text = rng.choice((GERMAN if german else ENGLISH)["general"])
        while "{t}" in text:
            words = " ".join(rng.choice(self.names.words) for _ in range(rng.randint(1, 3)))
            text = text.replace("{t}", rng.choice(["", "", "the "]) + words, 1)
        last = max((fact.block for fact in facts), default=0)
        shown = [fact for fact in facts if fact.kind == "where" and fact.main and fact.block == last]
        subject, place = (shown[0].subject, shown[0].place) if shown else ("", "")
        return self.turn(text, answer("general", subject, None, place, german), "general", None, place)

    def earlier_turn(self, world: World, facts: list[Fact], text: str) -> Conversation | None:
        """A turn about something else, which may or may not be among the recalled definitions; nothing in it is to be learned."""
        rng = self.rng
        german = rng.random() < GERMAN_SHARE
        phrases = GERMAN if german else ENGLISH
        present = present_names(facts)
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
        """A question, or two about one thing; every fourth time behind a turn about something else. `text`: all recalled definitions. What
        is asked most is taken out of `facts`. None if what was drawn cannot be asked."""
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
        last = max(fact.block for fact in facts)
        near = [fact for fact in facts if fact.block == last] if rng.random() < 0.8 else facts
        near = [fact for fact in near if fact.main] or near if rng.random() < 0.85 else near
        kinds = sorted({fact.kind for fact in near})
        kind = rng.choices(kinds, [WEIGHT[one] for one in kinds])[0]
        fact = rng.choice([one for one in near if one.kind == kind])
        if kind in ("call", "file", "lines") or rng.random() < 0.5:
            facts.remove(fact)  # another repository teaches more than the same answer again
        german = rng.random() < GERMAN_SHARE
        is_this = kind == "lines" or (fact.main and fact.block == last and rng.random() < (0.5 if has_selection else 0.06))
        first = self.about(fact, THIS, german) if is_this else self.about(fact, GERMAN if german else ENGLISH, german)
        others = [
            other
            for other in facts
            if other.subject == fact.subject and other.kind != fact.kind and other.block == fact.block and other.kind in (*IT, "nodoc")
        ]
        if first is None or not others or rng.random() < 0.85:
            return first
        second = self.about(rng.choice(others), IT if rng.random() < 0.6 else ENGLISH, False)
        return first if second is None else joined(first, second, self.ids("\n"))
