"""Facts that a rendered repository shows and that have one answer: what the questions of the first stage are about."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from rows.pieces import ShownFact

COMMENT = {"py": ('"""', "'''", "#"), "ts": ("/*", "//")}
# What can be called, and has a documentation or none.
CALLABLE = ("function", "method", "class")
CALLER = {
    "py": re.compile(r"^\s*(?:async )?def (\w+)"),
    "ts": re.compile(
        r"^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\*?|const)\s+([\w$]+)"
        r"|^(?:\t|  |    )(?:(?:public|private|protected|static|async|override)\s+)*([\w$]+)\s*\([^()]*\).*\{\s*$"
    ),
}


class Fact(NamedTuple):
    """`word`: what a person calls the subject's kind. `path`: its file in the repository. `block`: the number of the recall block that shows
    it, or 0."""

    kind: str
    subject: str
    value: object
    word: str
    path: str
    block: int


def key_span(text: str, kind: str, value: object) -> tuple[int, int]:
    """Characters of the answer that are its KEY tokens; (0, 0) if it has none."""
    if kind in ("where", "nodoc"):
        begin = text.rindex(str(value))
        return begin, begin + len(str(value))
    if kind == "doc":
        begin = text.rindex(value[1])
        return begin, begin + 12
    return 0, 0


def single_answers(found: list[ShownFact], paths: dict[str, str], text: str, language: str) -> list[Fact]:
    """The facts of which the text says one thing only. `paths`: path of the package → path in the repository; `text`: all that is shown."""
    defined: dict[str, set] = {}
    word_of: dict[str, str] = {}
    values: dict[tuple[str, str], set[str]] = {}
    for fact in found:
        values.setdefault((fact.kind, fact.subject), set()).add(json.dumps(fact.value))
        if fact.kind == "where":
            defined.setdefault(fact.subject, set()).add((fact.piece.path, id(fact.piece.unit), fact.value))
            word_of[fact.subject] = fact.value
    documented = {fact.subject for fact in found if fact.kind == "doc"}
    signature = {fact.subject: fact.value for fact in found if fact.kind == "sig"}
    facts: list[Fact] = []
    for shown in found:
        kind, subject, piece = shown.kind, shown.subject, shown.piece
        if len(values[kind, subject]) > 1 or (kind != "import" and len(defined.get(subject, ())) != 1):
            continue
        path = paths[piece.path]
        if kind == "where":
            place = f"{path}:{piece.line}" if piece.block else path
            facts.append(Fact(kind, subject, place, shown.value, path, piece.block))
            is_bare = subject not in documented and not any(mark in piece.text for mark in COMMENT[language])
            if shown.value in CALLABLE and is_bare:
                facts.append(Fact("nodoc", subject, place, shown.value, path, piece.block))
            continue
        answers = possible_answers(shown, signature, text, language)
        if len(answers) == 1:
            facts.append(Fact(kind, subject, answers.pop(), word_of.get(subject, shown.unit_kind), path, piece.block))
    single = {subject for subject, places in defined.items() if len(places) == 1}
    return facts + callers(single, word_of, text, language)


def possible_answers(fact: ShownFact, signature: dict[str, str], text: str, language: str) -> set:
    """All that an answer could quote. A constant and a base class as they stand in the source: one contiguous copy."""
    subject, value = re.escape(fact.subject), fact.value
    match fact.kind:
        case "const":
            declaration = r"(?m)^\s*(?:export )?(?:const |let |var )?(" + subject + r"(?:\s*:[^\n=]*)?\s*=\s*" + re.escape(value)
            return set(re.findall(declaration + r")(?=[\s;]|$)", text))
        case "base":
            declaration = r"(?m)^(?:export )?(?:default )?(?:declare )?(?:abstract )?((?:class|interface) " + subject
            return set(re.findall(declaration + r"(?:\([^\n()]*\)|(?:<[^\n]*?>)? extends " + re.escape(value) + r"\b))", text))
        case "doc":  # in Python the signature leads the copy up to the docstring
            return {(signature.get(fact.subject, fact.subject) if language == "py" else fact.subject, value)}
        case "meth":
            return {tuple(value)}
        case _:
            return {value}


def callers(single: set[str], word_of: dict[str, str], text: str, language: str) -> list[Fact]:
    """Who calls the functions, methods and classes of one definition, as far as the text shows it: up to three names."""
    callable_names = {subject for subject in single if word_of[subject] in CALLABLE}
    found: dict[str, list[str]] = {}
    current = None
    pattern = CALLER[language]
    for line in text.split("\n"):
        match = pattern.match(line)
        if match:
            current = next(name for name in match.groups() if name)
        elif line.startswith("<|file_sep|>") or (line and not line[0].isspace() and line[0] not in ")}]@#/"):
            current = None
        body = pattern.sub("", line) if match else line
        if not current or line.lstrip().startswith(("#", "//", "*", '"""', "class ")):
            continue
        for name in re.findall(r"([A-Za-z_$][\w$]*)\(", body):
            if name in callable_names and current != name and current not in found.setdefault(name, []):
                found[name].append(current)
    return [
        Fact("call", subject, tuple(names), "function", "", 1)
        for subject, names in found.items()
        if 1 <= len(names) <= 3 and all(name in single for name in names)
    ]
