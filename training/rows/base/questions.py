"""Questions and answers of the lookup tasks: phrasings per kind."""

from __future__ import annotations

import random

# {x} the quoted name, {w} the word for its kind, {p} the file
QUESTIONS = {
    "where": [
        "Where is {x} defined?", "Where is {x} defined?", "Where is the {w} {x} defined?", "Which file defines {x}?", "In which file is {x}?",
        "Find the definition of {x}.", "where is {x}", "Where is {x}?", "Which file contains the {w} {x}?", "Where can I find {x}?",
        "What is the path of the file that defines {x}?", "Where is {x} implemented?", "Show me where {x} is defined.", "location of {x}",
        "where is {x} defined", "In which file is {x} defined?", "Which file is {x} in?", "Where does {x} live?", "find {x}",
    ],
    "const": [
        "What is the value of {x}?", "What is {x} set to?", "value of {x}", "Which value does {x} have?", "What value is assigned to {x}?",
        "what is {x} set to", "How large is {x}?", "What does {x} equal?",
    ],
    "sig": [
        "What are the parameters of {x}?", "What is the signature of {x}?", "How do I call {x}?", "Which arguments does {x} take?",
        "Show the signature of {x}.", "parameters of {x}", "What arguments does {x} accept?", "Which parameters does {x} have?",
        "what are the parameters of {x}", "signature of {x}", "How is {x} called?", "What does {x} take?",
    ],
    "doc": [
        "What does {x} do?", "What is {x} for?", "Describe {x}.", "Explain {x}.", "What does the documentation of {x} say?", "what does {x} do",
        "What does the {w} {x} do?", "explain {x}", "What is the purpose of {x}?", "What is {x}?",
    ],
    "meth": [
        "Which methods does {x} have?", "What methods does the {w} {x} define?", "List the methods of {x}.", "methods of {x}",
        "What are the methods of {x}?",
    ],
    "import": [
        "Where is {x} imported from?", "Which module is {x} imported from?", "Which module does {p} import {x} from?",
        "Where does {p} get {x} from?",
    ],
    "ret": ["What does {x} return?", "What is returned by {x}?", "Which value does {x} return?", "return value of {x}"],
    "raise": [
        "What does {x} raise?", "Which exception does {x} raise?", "Which error is thrown by {x}?", "What does {x} throw?",
        "Which error does {x} throw?",
    ],
    "base": [
        "What is the base class of {x}?", "What does {x} extend?", "Which class does {x} inherit from?", "base class of {x}",
        "What does {x} inherit from?",
    ],
    "call": [
        "Who calls {x}?", "Which functions call {x}?", "Where is {x} called?", "What calls {x}?", "who calls {x}", "Where is {x} used?",
    ],
    "needle": ["What is the {w} for {x}?", "Tell me the {w} for {x}.", "What {w} belongs to {x}?"],
}
QUESTIONS["nodoc"] = QUESTIONS["doc"]

# How often a kind is asked, relative to the others that the row offers.
WEIGHT = {
    "where": 3.0, "const": 1.8, "sig": 2.2, "doc": 2.0, "nodoc": 0.7, "meth": 1.0, "import": 0.9, "ret": 1.2, "raise": 1.2, "base": 1.0,
    "call": 0.9, "needle": 0.5,
}


def answer(kind: str, subject: str, value: object) -> str:
    """The one right answer; it quotes the source as one contiguous piece wherever possible, which is what a small model learns."""
    quoted = f"`{subject}`"
    match kind:
        case "where":
            return f"{quoted} is defined in `{value}`."
        case "const" | "sig" | "base":
            return f"`{value}`"
        case "doc":
            return f"`{value[0]}`: {value[1]}"
        case "nodoc":
            return f"{quoted} has no documentation; it is defined in `{value}`."
        case "meth":
            return f"{quoted} has the methods " + ", ".join(f"`{name}`" for name in value) + "."
        case "import":
            return f"{quoted} is imported from `{value}`."
        case "ret":
            return f"{quoted} returns `{value}`."
        case "raise":
            return f"{quoted} raises `{value}`."
        case "call":
            return f"{quoted} is called by " + ", ".join(f"`{name}`" for name in value) + "."
        case "needle":
            return f"The {value[0]} for {subject} is {value[1]}."
        case "none":
            return f"{quoted} was not found in this repository."
    raise ValueError(f"unknown kind {kind}")


def question(rng: random.Random, kind: str, subject: str, word: str, path: str) -> str:
    """One phrasing; the name in backticks, bare or in apostrophes."""
    if kind == "none":
        kind = rng.choice(["where", "where", "const", "sig", "sig", "doc", "doc", "ret", "meth", "call"])
        is_class = kind == "meth" or (subject[:1].isupper() and not subject.isupper())
        word = "class" if is_class else "constant" if subject.isupper() else "function"
    x = rng.choice(["`{}`"] * 6 + ["{}"] * 4 + ["'{}'"]).format(subject)
    return rng.choice(QUESTIONS[kind]).format(x=x, w=word, p=f"`{path}`" if path else "the code")
