"""Invented paths: a tree of folders like those of real repositories, and the files of a package spread over it."""

from __future__ import annotations

import random

from rows.names import Names

# Folders that repositories of any kind have; the others are made of words.
USUAL_FOLDERS = (
    "src lib app server client extension extensions packages core api internal cmd pkg test tests unit integration utils common shared docs "
    "examples scripts tools components hooks pages models model services service handlers routes middleware engine memory config plugins "
    "main java com org io types vs platform browser node electron base workbench contrib editor crates backend frontend web ui cli runtime"
).split()
ENDINGS = {
    "py": [".py"] * 12 + [".pyi"],
    "ts": [".ts"] * 8 + [".js"] * 4 + [".tsx"] * 3 + [".mjs", ".mts", ".jsx", ".cts", ".d.ts", ".vue", ".svelte"],
    "go": [".go"],
    "rust": [".rs"],
    "java": [".java"] * 3 + [".kt"] * 2,
}
USUAL_FILES = {
    "py": ["__init__", "main", "base", "utils", "models", "_internal", "conftest"],
    "ts": ["index", "main", "types", "utils", "config", "constants", "errors"],
    "go": ["main", "doc", "server", "types"],
    "rust": ["mod", "lib", "main", "error"],
    "java": ["Main", "Utils"],
}


def file_name(rng: random.Random, names: Names, language: str) -> str:
    """A file's name with its ending: in one of the usual styles of its language, now and then with a second part (`x.test.ts`)."""
    ending = rng.choice(ENDINGS[language])
    if rng.random() < 0.12:
        return rng.choice(USUAL_FILES[language]) + ending
    like = {"py": "a_b", "ts": rng.choice(["a-b", "a-b", "a-b", "aB", "aB", "AB", "a_b"]), "go": "a_b", "rust": "a_b", "java": "AB"}[language]
    stem = names.make(rng, {"a_b": "foo_bar", "a-b": "foo_bar", "aB": "fooBar", "AB": "FooBar"}[like], rng.choice([1, 1, 2, 2, 2, 3, 3, 4]))
    if like == "a-b":
        stem = stem.replace("_", "-")
    if rng.random() < 0.08:
        stem += rng.choice(["2", "3", "_v1", "64", "-v2", str(rng.randint(0, 99))])
    match language:
        case "ts" if rng.random() < 0.2:
            stem += rng.choice([".test", ".spec", ".test", ".config", ".service", ".module", ".controller", ".stories"])
        case "py" if rng.random() < 0.15:
            stem = rng.choice(["test_", "test_", "_"]) + stem
        case "go" if rng.random() < 0.15:
            stem += "_test"
    return stem + ending


def folder_name(rng: random.Random, names: Names) -> str:
    draw = rng.random()
    if draw < 0.45:
        return rng.choice(USUAL_FOLDERS)
    if draw < 0.5:
        return rng.choice(["v1", "v2", "_internal", "__tests__", "py3", "x86", "3rdparty", ".github", "@types", "(app)", "[id]"])
    like = rng.choice(["foo_bar", "foo_bar", "foo-bar", "foo-bar", "fooBar", "FooBar"])
    made = names.make(rng, like.replace("-", "_"), rng.choice([1, 1, 1, 2, 2, 3]))
    return made.replace("_", "-") if "-" in like else made


def folder_tree(rng: random.Random, names: Names) -> list[str]:
    """Folders of one repository, each with a slash at its end; most share their beginnings. At most seven deep."""
    folders = [""]
    depth = rng.choice([1, 2, 3, 3, 4, 4, 5, 6])
    for _ in range(rng.choice([1, 3, 6, 10, 18])):
        parent = rng.choice(folders if rng.random() < 0.4 else folders[-2:])
        for _ in range(rng.randint(1, depth)):
            if parent.count("/") >= 7:
                break
            folder = folder_name(rng, names)
            if folder in parent.split("/") and rng.random() < 0.9:  # real paths seldom say a thing twice
                continue
            parent += folder + "/"
            if parent not in folders:
                folders.append(parent)
    return folders[1:] + ([""] if rng.random() < 0.3 or len(folders) == 1 else [])


def invented_paths(rng: random.Random, names: Names, paths: list[str], language: str) -> dict[str, str]:
    """Path of a package → path in the invented repository. Some repositories keep the package's own paths below a new folder."""
    draw = rng.random()
    if draw < 0.3:
        front = rng.choice(["", "", "src/", "lib/", "packages/" + folder_name(rng, names) + "/src/", folder_name(rng, names) + "/"])
        return {path: front + path for path in paths}
    folders = folder_tree(rng, names)
    place: dict[str, str] = {}
    taken: set[str] = set()
    new_paths = {}
    for path in paths:
        folder = place.setdefault(path.rpartition("/")[0], rng.choice(folders)) if rng.random() < 0.7 else rng.choice(folders)
        new = folder + (file_name(rng, names, language) if draw < 0.9 else path.rpartition("/")[2])
        while new in taken:
            new = folder + file_name(rng, names, language)
        taken.add(new)
        new_paths[path] = new
    return new_paths


def invented_line(rng: random.Random) -> int:
    """A line number of one to four digits, small ones more often."""
    if rng.random() < 0.1:
        return rng.randint(1, 9999)
    return int(10 ** rng.uniform(0, 3.3))


