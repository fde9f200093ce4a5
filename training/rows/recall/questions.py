"""Questions and answers about recalled definitions, as the product asks them: phrasings in English and German, one right answer each."""

from __future__ import annotations

import random

from rows.base.questions import QUESTIONS

# The first stage's phrasings, and more. {x} the name as the question writes it, {w} the word for its kind, {p} a path. A question of
# `this` or `it` names nothing: it stands behind a selection, or behind a turn that named its subject.
ENGLISH = {
    "where": [
        *QUESTIONS["where"], "Where is {x} defined?", "Where is {x} declared?", "On which line is {x} defined?",
        "Where do I find the {w} {x}?", "{x}", "Can you tell me where {x} is defined?", "which file is {x} defined in?", "Show me {x}.",
        "Where exactly is {x}?", "Please show me the definition of {x}.", "Where in the code is {x}?",
        "Where does the repository define {x}?",
    ],
    "sig": [
        *QUESTIONS["sig"], "What are the parameters of {x}?", "What arguments does the {w} {x} expect?", "What can I pass to {x}?",
        "What is the signature of the {w} {x}?", "How do I use {x}?",
    ],
    "doc": [
        *QUESTIONS["doc"], "What does {x} do?", "What does {x} do?", "How does {x} work?", "Explain what {x} does.", "Explain the {w} {x}.",
        "What is {x} and what does it do?", "Summarize {x}.", "Tell me about {x}.", "What is the {w} {x} used for?", "Why is there {x}?",
    ],
    "const": QUESTIONS["const"],
    "meth": QUESTIONS["meth"],
    "ret": QUESTIONS["ret"],
    "raise": QUESTIONS["raise"],
    "base": QUESTIONS["base"],
    "call": [
        *QUESTIONS["call"], "Who uses {x}?", "Which files use {x}?",
    ],
    "file": [
        "What is in {p}?", "What does {p} define?", "What does {p} contain?", "What is defined in {p}?", "What does the file {p} do?",
        "Explain {p}.", "Which definitions are in {p}?",
    ],
    "general": [
        "How does {t} work?", "How is {t} handled?", "How does {t} work in this repository?", "What is this repository about?",
        "What does this project do?", "Give me an overview of the code.", "Summarize this repository.", "Explain the architecture.",
        "Why is {t} so slow?", "How can I add {t}?", "How do I run the tests?", "What happens when {t} fails?", "Is there a bug in {t}?",
        "How is {t} related to {t}?", "Write a test for {t}.", "Refactor {t}.", "hello", "Hi!", "Thank you!", "What can you do?",
        "Who are you?", "Where do we deal with {t}?", "Which part of the code is responsible for {t}?", "Compare {t} and {t}.", "help",
        "How does the {t} talk to the {t}?", "Explain how {t} works.", "What is the difference between {t} and {t}?",
        "Where should I start reading?", "How is the code organized?",
    ],
}  # fmt: skip
GERMAN = {
    "where": [
        "Wo ist {x} definiert?", "Wo ist {x} definiert?", "Wo ist {x}?", "In welcher Datei steht {x}?", "Wo finde ich {x}?",
        "Welche Datei definiert {x}?", "Zeige mir, wo {x} definiert ist.", "wo ist {x} definiert",
    ],
    "sig": [
        "Welche Parameter hat {x}?", "Was sind die Parameter von {x}?", "Welche Argumente nimmt {x}?", "Wie lautet die Signatur von {x}?",
        "Wie rufe ich {x} auf?",
    ],
    "doc": ["Was macht {x}?", "Was tut {x}?", "Wozu dient {x}?", "Erkläre {x}.", "Was ist {x}?", "Beschreibe {x}."],
    "const": ["Welchen Wert hat {x}?", "Was ist der Wert von {x}?"],
    "meth": ["Welche Methoden hat {x}?"],
    "ret": ["Was gibt {x} zurück?"],
    "raise": ["Welchen Fehler wirft {x}?"],
    "base": ["Von welcher Klasse erbt {x}?", "Was ist die Basisklasse von {x}?"],
    "call": ["Wer ruft {x} auf?", "Wo wird {x} verwendet?"],
    "file": ["Was steht in {p}?", "Was definiert {p}?"],
    "general": ["Wie funktioniert {t}?", "Worum geht es in diesem Projekt?", "Erkläre die Architektur.", "Hallo", "Was kannst du?"],
}  # fmt: skip
THIS = {
    "where": ["Where is this?", "Where does this code stand?", "Which file is this in?"],
    "sig": ["What are its parameters?", "What are the parameters of this function?", "How do I call this?"],
    "doc": [
        "What does this do?", "What does this do?", "What does this do?", "Explain this.", "Explain this code.", "What is this?", "explain",
        "What does this code do?", "What does this function do?", "Explain these lines.", "What is this for?", "Explain the selection.",
    ],
    "ret": ["What does this return?"],
    "raise": ["What does this raise?", "Which error does this throw?"],
    "base": ["What does this class extend?"],
    "meth": ["Which methods does this class have?"],
    "const": ["What is its value?"],
    "lines": ["What does this do?", "Explain this.", "Explain this code.", "What is this?", "Explain these lines.", "What happens here?", "Where is this?"],
}
IT = {
    "where": ["And where is it defined?", "Where is it defined?", "where is that?", "Where is it?", "And where?"],
    "sig": ["What are its parameters?", "And its parameters?", "How do I call it?", "and what does it take?"],
    "doc": ["What does it do?", "And what does it do?", "What is it for?", "Explain it."],
    "ret": ["What does it return?", "And what does it return?"],
    "raise": ["What does it raise?", "Which error does it throw?"],
    "base": ["What does it extend?"],
    "meth": ["Which methods does it have?"],
    "const": ["What is its value?"],
    "call": ["Who calls it?"],
}
# How often a kind is asked, relative to the others that the recalled definitions offer.
WEIGHT = {
    "where": 3.2, "sig": 3.0, "doc": 4.5, "nodoc": 1.0, "const": 1.2, "meth": 0.7, "ret": 0.8, "raise": 0.8, "base": 0.7, "call": 0.2,
    "file": 1.5, "lines": 2.0,
}  # fmt: skip
# Kinds whose question is that of another kind.
ASKED_AS = {"nodoc": "doc"}
WRITTEN = ["`{}`"] * 7 + ["{}"] * 4 + ["'{}'", "`{}()`", "{}()", '"{}"']


def question(rng: random.Random, kind: str, subject: str, word: str, phrases: dict[str, list[str]]) -> str | None:
    """One phrasing; the name in backticks, bare or in quotes. None if there is no phrasing of this kind."""
    phrasings = phrases.get(ASKED_AS.get(kind, kind))
    if not phrasings:
        return None
    written = rng.choice(WRITTEN) if word in ("function", "method") else rng.choice([w for w in WRITTEN if "()" not in w])
    path = rng.choice(["`{}`", "`{}`", "{}"]).format(subject)
    return rng.choice(phrasings).format(x=written.format(subject), w=word or "definition", p=path)


def answer(kind: str, subject: str, value: object, place: str, german: bool) -> str:
    """`place` is the header of the block that shows the definition, path:line. Texts of the source are quoted as they are."""
    quoted, at = f"`{subject}`", f"`{place}`"
    match kind:
        case "where":
            return f"{quoted} ist in {at} definiert." if german else f"{quoted} is defined in {at}."
        case "sig" | "const" | "base":
            return f"`{value}`"
        case "doc":
            return f"{quoted}: {value}"
        case "nodoc":
            return f"`{value}` hat keine Dokumentation; definiert in {at}." if german else f"`{value}` has no documentation; it is defined in {at}."
        case "meth" | "file":
            listed = ", ".join(f"`{name}`" for name in value)
            verb = ("hat die Methoden" if german else "has the methods") if kind == "meth" else ("definiert" if german else "defines")
            return f"{quoted} {verb} {listed}."
        case "ret":
            return f"{quoted} gibt `{value}` zurück." if german else f"{quoted} returns `{value}`."
        case "raise":
            return f"{quoted} wirft `{value}`." if german else f"{quoted} raises `{value}`."
        case "call":
            if german:
                return f"Wer {quoted} benutzt, kann ich nicht sagen; definiert in {at}."
            return f"I cannot tell who uses {quoted}; it is defined in {at}."
        case "lines":
            return f"Diese Zeilen stehen in {at}." if german else f"These lines stand in {at}."
        case "none":
            return f"{quoted} wurde in diesem Repository nicht gefunden." if german else f"{quoted} was not found in this repository."
        case "general":
            if not subject:
                return "Ich finde nur Dinge, die einen Namen haben." if german else "I can only look things up by name."
            if german:
                return f"Ich finde nur Dinge, die einen Namen haben. {quoted} ist in {at} definiert."
            return f"I can only look things up by name. {quoted} is defined in {at}."
    raise ValueError(f"unknown kind {kind}")


def key_span(text: str, kind: str, value: object, place: str) -> tuple[int, int]:
    """Characters of the answer that are its KEY tokens: the place, or where the documentation begins; (0, 0) if it has none."""
    if place and place in text:
        begin = text.rindex(place)
        return begin, begin + len(place)
    if kind == "doc":
        begin = text.rindex(str(value))
        return begin, begin + 12
    return 0, 0
