"""Units and facts of a Python file, by its syntax tree."""

from __future__ import annotations

import ast
import re

from corpus.text_facts import first_sentence, parameters
from corpus.units import Fact, Method, Unit

MAX_LITERAL, MAX_VALUE = 40, 60
Definition = ast.FunctionDef | ast.AsyncFunctionDef


def docstring_of(body: list[ast.stmt]) -> ast.Expr | None:
    first = body[0] if body else None
    is_string = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return first if is_string and first.value.value.strip() else None


def doc_facts(doc: ast.Expr, lines: list[str], start: int, name: str) -> list[Fact]:
    """The docstring's first sentence, in the unit that begins at line `start` (0-based)."""
    text = doc.value.value
    found = first_sentence(text.strip().split("\n"))
    if found is None:
        return []
    begin = doc.lineno - 1 + text[: len(text) - len(text.lstrip())].count("\n")
    last = begin + found[1] - 1
    shown = " ".join(line.strip() for line in lines[begin : last + 1])
    return [Fact("doc", last - start, name, found[0])] if found[0] in shown else []


def source_of(node: ast.expr, lines: list[str]) -> str:
    """Source text of an expression that stands on one line (columns of the tree count UTF-8 bytes)."""
    return lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode("utf8", "replace")


def outcome_facts(node: Definition, lines: list[str], start: int) -> list[Fact]:
    """What the function returns, if always the same literal, and raises, if always the same class."""
    returned: list[ast.Return] = []
    raised: set[str] = set()
    nested = False
    stack: list[ast.AST] = list(node.body)
    while stack:
        inner = stack.pop()
        if isinstance(inner, Definition | ast.ClassDef | ast.Lambda):
            nested = True
            continue
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            nested = True
        elif isinstance(inner, ast.Return):
            returned.append(inner)
        elif isinstance(inner, ast.Raise) and inner.exc is not None:
            error = inner.exc.func if isinstance(inner.exc, ast.Call) else inner.exc
            raised.add(error.id if isinstance(error, ast.Name) else "?")
        stack.extend(ast.iter_child_nodes(inner))
    last = node.end_lineno - 1 - start
    facts = []
    if len(returned) == 1 and not nested:
        value = returned[0].value
        if isinstance(value, ast.Constant) and value.lineno == value.end_lineno and len(source_of(value, lines)) <= MAX_LITERAL:
            facts.append(Fact("ret", last, node.name, source_of(value, lines)))
    if len(raised) == 1 and "?" not in raised:
        facts.append(Fact("raise", last, node.name, raised.pop()))
    return facts


def function_facts(node: Definition, lines: list[str], start: int, method: bool) -> list[Fact]:
    """Facts of a function in the unit that begins at line `start` (0-based)."""
    name = node.name
    if name.startswith("__"):
        return []
    head = node.lineno - 1
    facts = [Fact("where", head - start, name, "method" if method else "function")]
    match = re.match(r"\s*(?:async )?def " + re.escape(name) + r"(?=[(\[])", lines[head])
    found = parameters(lines, head, match.end()) if match else None
    if found:
        facts.append(Fact("sig", found[1] - start, name, f"{name}({found[0]})"))
    doc = docstring_of(node.body)
    if doc:
        facts += doc_facts(doc, lines, start, name)
    return facts + outcome_facts(node, lines, start)


def class_unit(node: ast.ClassDef, lines: list[str], start: int, end: int) -> Unit:
    unit = Unit("class", node.name, lines[start:end], [])
    unit.facts.append(Fact("where", node.lineno - 1 - start, node.name, "class"))
    if len(node.bases) == 1 and isinstance(node.bases[0], ast.Name | ast.Attribute):
        unit.facts.append(Fact("base", node.lineno - 1 - start, node.name, ast.unparse(node.bases[0])))
    doc = docstring_of(node.body)
    if doc:
        unit.facts += doc_facts(doc, lines, start, node.name)
    listed: list[tuple[str, int]] = []
    for member in node.body:
        if not isinstance(member, Definition):
            unit.cuts.append(member.end_lineno - start)
            continue
        unit.facts += function_facts(member, lines, start, method=True)
        first = min([member.lineno, *(d.lineno for d in member.decorator_list)]) - 1
        unit.methods.append(Method(first - start, member.end_lineno - start, member.name))
        unit.cuts += [statement.end_lineno - start for statement in member.body]
        if not member.name.startswith("__"):
            listed.append((member.name, member.lineno - 1 - start))
    if listed:
        unit.facts.append(Fact("meth", listed[-1][1], node.name, listed))
    return unit


def assignment_unit(node: ast.Assign | ast.AnnAssign, lines: list[str], start: int, end: int) -> Unit:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    unit = Unit("other", None, lines[start:end], [])
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or targets[0].id.startswith("__"):
        return unit
    unit.kind, unit.name = "const", targets[0].id
    unit.facts.append(Fact("where", 0, unit.name, "constant" if unit.name.isupper() else "variable"))
    value = node.value.operand if isinstance(node.value, ast.UnaryOp) else node.value
    if isinstance(value, ast.Constant) and value.value is not Ellipsis and node.lineno == node.end_lineno:
        text = source_of(node.value, lines)
        if 0 < len(text) <= MAX_VALUE:
            unit.facts.append(Fact("const", len(unit.lines) - 1, unit.name, text))
    return unit


def import_facts(node: ast.Import | ast.ImportFrom, last: int) -> list[Fact]:
    if isinstance(node, ast.Import):
        return []
    module = "." * node.level + (node.module or "")
    return [Fact("import", last, alias.name, module) for alias in node.names if alias.name != "*" and alias.asname is None]


def python_units(text: str) -> list[Unit]:
    """@raises SyntaxError, ValueError, RecursionError: not Python that this interpreter parses."""
    lines = text.split("\n")
    units: list[Unit] = []
    previous_end = 0
    for node in ast.parse(text).body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        while start - 1 >= previous_end and lines[start - 1].startswith("#"):
            start -= 1
        end = node.end_lineno
        if start < previous_end:  # two statements on one line
            return units
        previous_end = end
        match node:
            case ast.Import() | ast.ImportFrom():
                if not units or units[-1].kind != "import":
                    units.append(Unit("import", None, [], []))
                unit = units[-1]
                unit.lines += lines[start:end]
                unit.facts += import_facts(node, len(unit.lines) - 1)
                unit.cuts.append(len(unit.lines))
                continue
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.Assign() | ast.AnnAssign():
                unit = assignment_unit(node, lines, start, end)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                facts = function_facts(node, lines, start, method=False)
                unit = Unit("func", node.name, lines[start:end], [s.end_lineno - start for s in node.body], facts)
            case ast.ClassDef():
                unit = class_unit(node, lines, start, end)
            case _:
                unit = Unit("other", None, lines[start:end], [])
        unit.cuts = sorted({*unit.cuts, len(unit.lines)})
        units.append(unit)
    return units
