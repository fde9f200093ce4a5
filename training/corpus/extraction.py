"""Source packages → units with facts.

    python -m corpus.extraction --wheels DIR --tarballs DIR [--debian DIR] [--standard-library DIR] --out units.pkl

Prints a line per package: language, name, version, licence, side of the split, files, characters.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import sys
import warnings
from collections import Counter
from pathlib import Path

from corpus.brace_units import brace_units
from corpus.python_units import python_units
from corpus.sources import SourcePackage, read_packages
from corpus.typescript_units import typescript_units
from corpus.units import Pack, Unit

MAX_UNIT_CHARS = 12_000
MIN_FILES = 3


def extract(source: SourcePackage, seen: set[bytes]) -> Pack:
    """Files without a fact, and files whose text was seen before, are left out."""
    files: dict[str, list[Unit]] = {}
    chars = 0
    for path, text in source.files.items():
        digest = hashlib.md5(text.encode()).digest()
        if digest in seen:
            continue
        seen.add(digest)
        try:
            match source.language:
                case "py":
                    units = python_units(text)
                case "ts":
                    units = typescript_units(text)
                case language:
                    units = brace_units(text, language)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        units = [unit for unit in units if sum(map(len, unit.lines)) < MAX_UNIT_CHARS]
        if any(unit.facts for unit in units):
            files[path] = units
            chars += len(text)
    return Pack(source.name, source.version, source.language, source.licence, files, chars)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--tarballs", type=Path, required=True)
    parser.add_argument("--debian", type=Path, help="folder of unpacked Debian packages of Go and Rust sources")
    parser.add_argument("--standard-library", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    sys.setrecursionlimit(5000)
    warnings.filterwarnings("ignore", category=SyntaxWarning)
    names = set((Path(__file__).parent / "pypi-packages.txt").read_text().split())
    packs: list[Pack] = []
    seen: set[bytes] = set()
    for source in read_packages(arguments.wheels, arguments.tarballs, names, arguments.debian, arguments.standard_library):
        pack = extract(source, seen)
        if len(pack.files) < MIN_FILES:
            continue
        packs.append(pack)
        side = "held out" if pack.held_out else "train"
        print(pack.language, pack.name, pack.version, pack.licence, side, len(pack.files), "files", f"{pack.chars / 1e6:.2f} M characters", sep=" | ")
    with arguments.out.open("wb") as file:
        pickle.dump(packs, file)
    counts = Counter((pack.language, fact.kind) for pack in packs for units in pack.files.values() for unit in units for fact in unit.facts)
    print(len(packs), "packages;", ", ".join(f"{language} {kind} {n}" for (language, kind), n in sorted(counts.items())))


if __name__ == "__main__":
    main()
