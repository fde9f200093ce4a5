"""Source code to train retaining heads of published models on: permissively licensed packages of PyPI and npm, by name and version.

    python -m corpus.heads_corpus --out corpus
    locret train --model MODEL $(printf -- '--repo %s ' corpus/*/) --out heads.safetensors

A folder for each package, with the files of it that `sources.py` lets through, and LICENCES.json: name, version, language, licence and
number of files of each package. None of the repositories that SWE-QA-Bench asks about may be among them: heads are measured there.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from pathlib import Path

from corpus.sources import SourcePackage, read_npm_tarball, read_wheel

# Its repositories, and packages that are made from them or carry most of their code.
MEASURED = {
    *("astropy", "conan", "django", "flask", "matplotlib", "pylint", "pytest", "reflex", "requests", "scikit_learn"),
    *("seaborn", "sphinx", "sqlfluff", "streamlink", "sympy", "xarray"),
    *("astroid", "botocore", "pip", "pytest_asyncio", "quart", "types_requests"),
}


def read_list(path: Path) -> tuple[list[str], list[str]]:
    """`name==version` of PyPI and `name@version` of npm."""
    words = [word for line in path.read_text("utf8").splitlines() if not line.startswith("#") for word in line.split()]
    wheels = [word for word in words if "==" in word]
    tarballs = [word for word in words if "==" not in word]
    if unpinned := [word for word in tarballs if not re.search(r".@\d", word)]:
        sys.exit(f"{path}: without a version: {' '.join(unpinned)}")
    names = [word.split("==")[0].lower().replace("-", "_") for word in wheels]
    names += [word.rpartition("@")[0].lower() for word in tarballs]
    if measured := sorted(MEASURED & set(names)):
        sys.exit(f"{path}: heads are measured on {', '.join(measured)}; they must not be trained on them.")
    return wheels, tarballs


def download(wheels: list[str], tarballs: list[str], folder: Path) -> tuple[Path, Path]:
    """Fetches what is not there yet; returns the folders of wheels and of tarballs. No code of the packages runs."""
    folders = folder / "wheels", folder / "tarballs"
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", str(folders[0])]
    subprocess.run([*pip, *wheels], check=True)
    for name in tarballs:
        file = name.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz"
        if not (folders[1] / file).exists():
            subprocess.run(["npm", "pack", "--silent", name], check=True, cwd=folders[1], stdout=subprocess.DEVNULL)
    return folders


def write(package: SourcePackage, out: Path) -> dict[str, object]:
    """Writes a package's files; returns what is recorded of it."""
    folder = out / f"{package.name.removeprefix('@').replace('/', '-')}-{package.version}"
    for name, text in package.files.items():
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf8")
    facts = {"name": package.name, "version": package.version, "language": package.language, "licence": package.licence}
    return {**facts, "files": len(package.files)}


def main() -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=here / "heads-packages.txt", help="names and versions")
    parser.add_argument("--out", type=Path, required=True, help="where the source files go, a folder for each package")
    parser.add_argument("--downloads", type=Path, help="where the packages are kept; default: beside OUT")
    options = parser.parse_args()
    downloads = options.downloads or options.out.with_name(f"{options.out.name}-downloads")
    wheels, tarballs = download(*read_list(options.packages), downloads)
    rng = random.Random(0)
    packages: list[SourcePackage] = []
    for path in sorted(wheels.glob("*.whl")):
        package = read_wheel(path, rng)
        if package is None:
            print(f"left out (licence or no usable file): {path.name}")
        else:
            packages.append(package)
    for path in sorted(tarballs.glob("*.tgz")):
        some = read_npm_tarball(path, rng)
        if not some:
            print(f"left out (licence or no usable file): {path.name}")
        packages.extend(some)
    options.out.mkdir(parents=True, exist_ok=True)
    records = [write(package, options.out) for package in packages]
    (options.out / "LICENCES.json").write_text(json.dumps(records, indent=2) + "\n", "utf8")
    print(f"{len(records)} packages, {sum(len(package.files) for package in packages)} files in {options.out}")


if __name__ == "__main__":
    main()
