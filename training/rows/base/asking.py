"""Which questions are asked about a repository of the first stage."""

from __future__ import annotations

import random
from typing import NamedTuple

from rows.base.facts import Fact
from rows.base.questions import WEIGHT, answer, question
from rows.base.repository import Repository
from rows.names import Names
from rows.pieces import absent_name


class Asked(NamedTuple):
    """A question with its one right answer, and the fact it is about; kind `none`: about a name that is not there."""

    question: str
    answer: str
    kind: str
    fact: Fact


def ask(
    rng: random.Random,
    names: Names,
    repository: Repository,
    count: int,
    none_share: float = 0.1,
    blocks_only: bool = False,
    last_share: float = 0.55,
) -> list[Asked]:
    """At most `count` questions, kinds drawn by WEIGHT, mostly about recalled definitions where there are some. last_share: how often they
    are about the last of them, which is the one that recall thinks most relevant."""
    facts = facts_to_ask_about(rng, repository, blocks_only, last_share)
    pools: dict[str, list[Fact]] = {}
    for fact in facts:
        pools.setdefault(fact.kind, []).append(fact)
    for pool in pools.values():
        rng.shuffle(pool)
    text = repository.memory + repository.blocks
    asked: list[Asked] = []
    tries = 0
    while len(asked) < count and tries < 4 * count:
        tries += 1
        if not pools or rng.random() < none_share:
            if not pools and rng.random() < 0.8:
                break
            subject = absent_name(rng, names, [fact.subject for fact in facts])
            if subject not in text:
                fact = Fact("none", subject, None, "", "", 0)
                asked.append(Asked(question(rng, "none", subject, "", ""), answer("none", subject, None), "none", fact))
            continue
        kinds = list(pools)
        kind = rng.choices(kinds, [WEIGHT[one] for one in kinds])[0]
        fact = pools[kind].pop()
        if not pools[kind]:
            del pools[kind]
        asked.append(Asked(question(rng, kind, fact.subject, fact.word, fact.path), answer(kind, fact.subject, fact.value), kind, fact))
    rng.shuffle(asked)
    return asked


def facts_to_ask_about(rng: random.Random, repository: Repository, blocks_only: bool, last_share: float) -> list[Fact]:
    facts = [fact for fact in repository.facts if fact.block or not blocks_only]
    if not repository.blocks:
        return facts
    last = max((fact.block for fact in repository.facts), default=0)
    if last and rng.random() < last_share:
        return [fact for fact in facts if fact.block == last]
    if not blocks_only and rng.random() < 0.8:
        return [fact for fact in facts if fact.block] or facts
    return facts
