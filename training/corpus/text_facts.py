"""Facts that are read off the text alike in every language: the first sentence of a documentation, the parameters of a function."""

from __future__ import annotations

import re

MAX_SENTENCE, MAX_PARAMETERS = 200, 160
UNWANTED_COMMENT = re.compile(r"copyright|licen[cs]e|eslint|prettier|ts-ignore|noinspection|^@|^#\[|SPDX", re.I)


def first_sentence(lines: list[str]) -> tuple[str, int] | None:
    """The first sentence of a documentation, over several lines if need be, and the number of lines it takes. A short first paragraph
    of one line also counts."""
    text = ""
    for i, line in enumerate(lines):
        line = line.strip()
        if not line or re.match(r"[@:]\w|[-=~*#`]{3}", line):
            break
        text = f"{text} {line}" if text else line
        match = re.match(r"(.{8,}?[.!?])(?:\s|$)", text)
        if match and not re.search(r"(?:e\.g|i\.e|etc|vs)\.$", match.group(1)):
            return (match.group(1), i + 1) if len(match.group(1)) <= MAX_SENTENCE else None
    only_line = text and len(text.split("\n")) == 1 and 10 <= len(text) <= 100
    return (text, 1) if only_line and text == lines[0].strip() else None


def comment_sentence(lines: list[str]) -> str | None:
    """The first sentence of the comment in these lines above a definition; attributes and decorators between are passed over."""
    bare = []
    for line in lines:
        if re.match(r"\s*(?:@|#\[)", line):
            continue
        inner = re.sub(r"^\s*(?:/\*\*?|\*/|\*|///?!?)\s?", "", line).replace("*/", "").strip()
        if inner or bare:
            bare.append(inner)
    if not bare or UNWANTED_COMMENT.search(bare[0]):
        return None
    found = first_sentence(bare)
    return found[0] if found else None


def parameters(lines: list[str], head: int, column: int) -> tuple[str, int] | None:
    """The text between the bracket that opens at or behind `column` of line `head` and the one that closes it, on one line, and the
    line on which it closes. None if it is long, holds a comment or does not close soon. Type parameters before the bracket are passed
    over."""
    text = "\n".join(lines[head : head + 12])
    begin = text.find("(", column)
    if begin < 0 or "\n" in text[column:begin]:
        return None
    depth = 0
    for i in range(begin, min(len(text), begin + 2 * MAX_PARAMETERS)):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
            if depth == 0:
                inner = re.sub(r"\s*\n\s*", " ", text[begin + 1 : i]).strip().removesuffix(",")
                if len(inner) > MAX_PARAMETERS or re.search(r"//|/\*|(?:^|\s)#", inner):
                    return None
                return inner, head + text[:i].count("\n")
    return None
