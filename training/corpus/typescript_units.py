"""Units and facts of a TypeScript or JavaScript file, by its layout: definitions start in column 0, members are indented once.

Formatted sources keep to that; what does not is simply not found, and a fact is only recorded where the text itself shows it."""

from __future__ import annotations

import re

from corpus.text_facts import comment_sentence, parameters
from corpus.units import Fact, Method, Unit

MAX_LITERAL, MAX_VALUE = 40, 60
DEFINITION = re.compile(
    r"^(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    r"(function\*?|class|const|let|var|interface|type|enum)\s+([A-Za-z_$][\w$]*)"
)
METHOD = re.compile(
    r"^(?:\t|  |    )(?:(?:public|private|protected|static|async|override|readonly)\s+)*([a-zA-Z_$][\w$]*)(?:<[^<>()]*>)?\(([^()]*\).*\{)?\s*$"
)
ARROW_FUNCTION = re.compile(r"=\s*(?:async\s*)?(?:\([^()]*\)|\w+)(?::\s*[\w<>\[\] |]+)?\s*=>")
LITERAL = re.compile(r"^(?:-?\d[\d_.]*|'[^'\\]*'|\"[^\"\\]*\"|true|false|null)$")
IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
KEYWORDS = {"if", "for", "while", "switch", "catch", "function", "constructor", "return", "else", "do", "try", "with"}
KIND = {"function": "func", "class": "class", "interface": "interface", "type": "type", "enum": "enum"}
WORD = {"func": "function", "const": "constant"}


def lead_of(lines: list[str], head: int, free: int) -> int:
    """First line of the comment and the decorators right above line `head`."""
    start = head
    while start > free and re.match(r"^\s*(?:\*|/\*|//|@)", lines[start - 1]):
        start -= 1
    return start


def methods_of(lines: list[str], head: int) -> list[Method]:
    """A class's methods with their comments; a method ends at the brace in its own column."""
    methods: list[Method] = []
    free = head + 1
    indent = member_indent(lines, head)
    for i in range(head + 1, len(lines)):
        match = METHOD.match(lines[i])
        if not match or match.group(1) in KEYWORDS or i < free or re.match(r"\s*", lines[i]).group(0) != indent:
            continue
        end = next((after + 1 for after in range(i + 1, len(lines)) if lines[after].rstrip() in (indent + "}", indent + "};")), None)
        if end is None:
            continue
        methods.append(Method(lead_of(lines, i, free), end, match.group(1)))
        free = end
    return methods


def import_facts(lines: list[str], last: int) -> list[Fact]:
    text = " ".join(line.strip() for line in lines)
    match = re.match(r"import (?:type )?(?:\w+, )?\{([^}]*)\} from ['\"]([^'\"]+)['\"]", text)
    if not match:
        return []
    names = (name.strip() for name in match.group(1).split(","))
    return [Fact("import", last, name, match.group(2)) for name in names if IDENTIFIER.fullmatch(name)]


def constant_facts(line: str, head: int, name: str) -> list[Fact]:
    match = re.match(r".*?\b" + re.escape(name) + r"(?:\s*:\s*[\w.\[\]<>| ]+)?\s*=\s*(.+?)(?:\s+as const)?;?\s*$", line)
    if match and LITERAL.match(match.group(1)) and len(match.group(1)) <= MAX_VALUE:
        return [Fact("const", head, name, match.group(1))]
    return []


def function_facts(lines: list[str], head: int, name: str) -> list[Fact]:
    facts = []
    match = re.match(r".*?\b" + re.escape(name) + r"(?:\s*=\s*(?:async\s*)?)?(?:<[^()]*>)?(?=\()", lines[head])
    found = parameters(lines, head, match.end()) if match else None
    if found:
        facts.append(Fact("sig", found[1], name, f"{name}({found[0]})"))
    text, last = "\n".join(lines[head:]), len(lines) - 1
    returned = re.findall(r"\breturn\b([^\n]*)", text)
    if len(returned) == 1:
        value = returned[0].strip().rstrip(";").strip()
        if LITERAL.match(value) and len(value) <= MAX_LITERAL:
            facts.append(Fact("ret", last, name, value))
    thrown = set(re.findall(r"\bthrow new ([A-Za-z_$][\w$]*)\(", text))
    if len(thrown) == 1 and text.count("throw ") == len(re.findall(r"\bthrow new ", text)):
        facts.append(Fact("raise", last, name, thrown.pop()))
    return facts


def member_indent(lines: list[str], head: int) -> str:
    """Indentation of the first line inside a class or interface."""
    return next((re.match(r"\s*", line).group(0) for line in lines[head + 1 :] if line.strip()), "")


def class_facts(lines: list[str], head: int, name: str) -> list[Fact]:
    facts = []
    match = re.search(r"\bextends\s+([A-Za-z_$][\w$.]*)", lines[head])
    if match:
        facts.append(Fact("base", head, name, match.group(1)))
    listed: dict[str, int] = {}
    indent = member_indent(lines, head)
    for i in range(head + 1, len(lines)):
        match = METHOD.match(lines[i])
        if not match or match.group(1) in KEYWORDS or match.group(1) in listed or re.match(r"\s*", lines[i]).group(0) != indent:
            continue
        method = match.group(1)
        listed[method] = i
        facts.append(Fact("where", i, method, "method"))
        found = parameters(lines, i, match.end(1))
        if found:
            facts.append(Fact("sig", found[1], method, f"{method}({found[0]})"))
        sentence = comment_sentence(lines[lead_of(lines, i, head + 1) : i])
        if sentence:
            facts.append(Fact("doc", i, method, sentence))
    if listed:
        facts.append(Fact("meth", list(listed.values())[-1], name, list(listed.items())))
    return facts


def definition_unit(lines: list[str], head: int, word: str, name: str) -> Unit:
    """`head`: the line on which the definition itself begins, behind its comment."""
    kind = KIND.get(word, "func" if ARROW_FUNCTION.search(lines[head]) else "const")
    unit = Unit(kind, name, lines, [], [Fact("where", head, name, WORD.get(kind, kind))])
    if kind == "const":
        unit.facts += constant_facts(lines[head], head, name)
    elif kind == "func":
        unit.facts += function_facts(lines, head, name)
    elif kind in ("class", "interface"):
        unit.facts += class_facts(lines, head, name)
    sentence = comment_sentence(lines[:head])
    if sentence:
        unit.facts.append(Fact("doc", head, name, sentence))
    if kind == "class":
        unit.methods = methods_of(lines, head)
    inner = [i + 1 for i in range(head + 1, len(lines)) if re.match(r"^(?:\t|  |    )\S.*[;}]\s*$", lines[i])]
    unit.cuts = sorted({*inner, len(lines)})
    return unit


def typescript_units(text: str) -> list[Unit]:
    lines = text.split("\n")
    heads = [i for i, line in enumerate(lines) if DEFINITION.match(line) or line.startswith("import ")]
    starts = []
    for head in heads:
        start = head
        while start > 0 and re.match(r"^(?:\s?\*|/\*|//|@)", lines[start - 1]):
            start -= 1
        starts.append(start)
    units: list[Unit] = []
    free = 0
    for index, head in enumerate(heads):
        start = max(starts[index], free)
        end = max(starts[index + 1] if index + 1 < len(heads) else len(lines), head + 1)
        while end > head + 1 and not lines[end - 1].strip():
            end -= 1
        free = end
        match = DEFINITION.match(lines[head])
        if match:
            units.append(definition_unit(lines[start:end], head - start, match.group(1).rstrip("*"), match.group(2)))
            continue
        if not units or units[-1].kind != "import":
            units.append(Unit("import", None, [], []))
        unit = units[-1]
        unit.lines += lines[start:end]
        unit.facts += import_facts(lines[start:end], len(unit.lines) - 1)
        unit.cuts.append(len(unit.lines))
    return units
