"""Units and facts of a Go, Rust, Java or Kotlin file, by its layout: top-level definitions start in column 0 and end at the brace in
their own column; methods are indented once.

Formatted sources keep to that; what does not is simply not found, and a fact is only recorded where the text itself shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpus.text_facts import comment_sentence, parameters
from corpus.units import Fact, Method, Unit


@dataclass(frozen=True)
class Language:
    """`definition` has the groups word (kind of definition) and name; `function` finds a function's or method's name before its
    bracket; `kinds` maps a word to the unit's kind and to what a person calls it."""

    definition: re.Pattern[str]
    function: re.Pattern[str]
    kinds: dict[str, tuple[str, str]]


RUST_VISIBILITY = r"(?:pub(?:\([\w: ]+\))? )?"
JAVA_MODIFIERS = r"(?:(?:public|protected|private|internal|static|final|abstract|sealed|open|data|override|inline|suspend|default|synchronized) )*"
LANGUAGES = {
    "go": Language(
        re.compile(r"(?P<word>func|type|const|var) (?:\([^()]*\) )?(?P<name>\w+)"),
        re.compile(r"func (?:\([^()]*\) )?(?P<name>\w+)(?=\()"),
        {"func": ("func", "function"), "type": ("class", "type"), "const": ("const", "constant"), "var": ("const", "variable")},
    ),
    "rust": Language(
        re.compile(
            RUST_VISIBILITY + r"(?:(?:async|unsafe|default) |const (?=fn)|extern \"C\" )*"
            r"(?P<word>fn|struct|enum|trait|type|const|static|mod|impl(?:<[^{]*?>)?(?: [\w:<>, ]+ for)?) (?:mut )?(?P<name>\w+)"
        ),
        re.compile(r"\s*" + RUST_VISIBILITY + r"(?:(?:async|unsafe|const) )*fn (?P<name>\w+)(?=[<(])"),
        {
            "fn": ("func", "function"), "struct": ("class", "struct"), "enum": ("enum", "enum"), "trait": ("interface", "trait"),
            "type": ("type", "type"), "const": ("const", "constant"), "static": ("const", "static"), "mod": ("other", "module"),
        },
    ),
    "java": Language(
        re.compile(JAVA_MODIFIERS + r"(?P<word>enum class|class|interface|@interface|enum|record|object|fun|const val|val) (?P<name>\w+)"),
        re.compile(r"\s*" + JAVA_MODIFIERS + r"(?:fun |(?!return|new|else|throw)[\w.<>\[\], ?]+ )(?P<name>\w+)(?=\()"),
        {
            "class": ("class", "class"), "enum class": ("enum", "enum"), "interface": ("interface", "interface"), "enum": ("enum", "enum"),
            "@interface": ("interface", "annotation"), "record": ("class", "record"), "object": ("class", "object"),
            "fun": ("func", "function"), "const val": ("const", "constant"), "val": ("const", "value"),
        },
    ),
}  # fmt: skip
LEAD = re.compile(r"\s*(?://|/\*|\*|#\[|@\w)")
LITERAL = re.compile(r"=\s*(-?\d[\w.]*|\"[^\"\\]*\"|true|false)[;,]?\s*$")
KEYWORDS = {"if", "for", "while", "switch", "catch", "match", "when", "return", "loop", "constructor"}


def end_of(lines: list[str], head: int) -> int:
    """Line behind the definition that begins on line `head`: its own line, or that of the closing bracket in its column."""
    indent = re.match(r"\s*", lines[head]).group(0)
    if lines[head].rstrip().endswith((";", "}", ")")) and lines[head].count("{") == lines[head].count("}"):
        return head + 1
    for i in range(head + 1, min(len(lines), head + 400)):
        if re.match(re.escape(indent) + r"[})]", lines[i]) and not lines[i].rstrip().endswith("{"):
            return i + 1
        if not lines[i].strip() and "{" not in "".join(lines[head:i]):
            return i
    return head + 1


def lead_of(lines: list[str], head: int, free: int) -> int:
    """First line of the comments, attributes and annotations right above line `head`."""
    start = head
    while start > free and LEAD.match(lines[start - 1]):
        start -= 1
    return start


def function_facts(language: Language, lines: list[str], start: int, head: int, word: str) -> list[Fact]:
    """Facts of a function whose lead begins on line `start` and whose name stands on line `head` of the unit."""
    match = language.function.match(lines[head])
    if not match or match["name"] in KEYWORDS:
        return []
    name = match["name"]
    facts = [Fact("where", head, name, word)]
    found = parameters(lines, head, match.end())
    if found:
        facts.append(Fact("sig", found[1], name, f"{name}({found[0]})"))
    sentence = comment_sentence(lines[start:head])
    if sentence:
        facts.append(Fact("doc", head, name, sentence))
    return facts


def methods_of(language: Language, lines: list[str], head: int) -> tuple[list[Method], list[Fact]]:
    methods: list[Method] = []
    facts: list[Fact] = []
    free = head + 1
    for i in range(head + 1, len(lines)):
        match = re.match(r"(?:\t|  |    )(?=\S)", lines[i]) and language.function.match(lines[i])
        if i < free or not match or match["name"] in KEYWORDS or "{" not in "".join(lines[i : i + 6]):
            continue
        start, end = lead_of(lines, i, free), end_of(lines, i)
        methods.append(Method(start, end, match["name"]))
        facts += function_facts(language, lines, start, i, "method")
        free = end
    return methods, facts


def definition_unit(language: Language, lines: list[str], head: int, word: str, name: str) -> Unit:
    """`head`: the line on which the definition itself begins, behind its comment."""
    is_implementation = word.startswith("impl")
    kind, called = ("other", "") if is_implementation else language.kinds[word]
    unit = Unit(kind, None if is_implementation else name, lines, [])
    if kind == "func":
        unit.facts = function_facts(language, lines, 0, head, called)
    elif not is_implementation:
        unit.facts.append(Fact("where", head, name, called))
        sentence = comment_sentence(lines[:head])
        if sentence:
            unit.facts.append(Fact("doc", head, name, sentence))
        literal = LITERAL.search(lines[head]) if kind == "const" else None
        if literal and len(literal.group(1)) <= 60:
            unit.facts.append(Fact("const", head, name, literal.group(1)))
    if kind in ("class", "interface", "enum", "other"):
        unit.methods, facts = methods_of(language, lines, head)
        unit.facts += facts
    inner = [i + 1 for i in range(head + 1, len(lines)) if re.match(r"^(?:\t|  |    )\S.*[;},]\s*$", lines[i])]
    unit.cuts = sorted({*inner, len(lines)})
    return unit


def brace_units(text: str, name: str) -> list[Unit]:
    """@param name a key of LANGUAGES"""
    language = LANGUAGES[name]
    lines = text.split("\n")
    units: list[Unit] = []
    free = 0
    for i, line in enumerate(lines):
        match = language.definition.match(line) if i >= free else None
        if not match:
            continue
        start, end = lead_of(lines, i, free), end_of(lines, i)
        units.append(definition_unit(language, lines[start:end], i - start, match["word"], match["name"]))
        free = end
    return units
