"""Identifiers and literals that replace the source's own, so that the model must look and cannot remember."""

from __future__ import annotations

import random
import re
from collections import Counter

from corpus.units import Pack

NOT_A_NAME = set(
    "def class import from return for with not and is in if or as new true false none null let var const function type enum case try else pass "
    "async await lambda yield del".split()
)


class Names:
    """Makes identifiers out of the words that the sources' own names are made of."""

    def __init__(self, packs: list[Pack]):
        count: Counter[str] = Counter()
        for pack in packs:
            for units in pack.files.values():
                for unit in units:
                    for fact in unit.facts:
                        count.update(word.lower() for word in re.findall(r"[A-Z]?[a-z]{2,}", fact.subject))
        self.all = [word for word, uses in sorted(count.items()) if uses >= 20 and len(word) <= 10 and word not in NOT_A_NAME]
        self.words = self.all

    def draw_pool(self, rng: random.Random) -> None:
        """Sometimes a row's names share few words, so that many are similar."""
        self.words = rng.sample(self.all, rng.randint(7, 16)) if rng.random() < 0.45 else self.all

    def make(self, rng: random.Random, like: str = "foo_bar", count: int = 0) -> str:
        """In the style of `like`, of `count` words; 0: one to three."""
        count = count or rng.choice([1, 2, 2, 2, 3, 3])
        words = [rng.choice(self.words) for _ in range(count)]
        lead = "_" if like.startswith("_") else ""
        core = like.strip("_")
        if core.isupper():
            return lead + "_".join(words).upper()
        if core[:1].isupper():
            return lead + "".join(word.capitalize() for word in words)
        if "_" in core or (core.islower() and rng.random() < 0.8):
            return lead + "_".join(words)
        return lead + words[0] + "".join(word.capitalize() for word in words[1:])


def random_literal(rng: random.Random, names: Names, literal: str) -> str:
    """Another literal of the same type; the same one where no replacement is known."""
    if re.fullmatch(r"-?\d+", literal):
        return str(
            rng.choice([rng.randint(0, 9), rng.randint(0, 99), rng.randint(0, 999), rng.randint(0, 99999), 2 ** rng.randint(3, 16)])
        )
    if re.fullmatch(r"-?\d*\.\d+", literal):
        return f"{rng.randint(0, 99)}.{rng.randint(0, 99)}"
    if literal[:1] in "\"'" and len(literal) > 2:
        words = [rng.choice(names.words) for _ in range(rng.randint(1, 3))]
        return literal[0] + rng.choice(["_", "-", " ", "/", "."]).join(words) + literal[0]
    return literal
