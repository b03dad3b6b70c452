"""What must be true of every committed file."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted|registry\.npmjs|proxy\.golang|deb\.debian|index-url|find-links|\"resolved\"",
)
LOCKS = ("requirements/*.txt", "web/package-lock.json", "tests/browser/package-lock.json")
LONGEST_FUNCTION = 50
LONGEST_FILE = 500


def committed(*patterns: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_lock_files_name_no_registry() -> None:
    locks = committed(*LOCKS)
    assert len(locks) >= 4
    named = {str(p.relative_to(ROOT)): m[0] for p in locks if (m := REGISTRY.search(p.read_text()))}
    assert named == {}


def test_every_locked_python_package_has_a_hash() -> None:
    for lock in committed("requirements/*.txt"):
        text = lock.read_text().replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert lines
        assert [line for line in lines if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("command", ["script/server", "script/test"])
def test_the_readme_begins_with_the_two_commands(command: str) -> None:
    first_block = (ROOT / "README.md").read_text().split("```")[1]
    assert command in first_block
    assert (ROOT / command).stat().st_mode & 0o111


def test_functions_and_files_stay_readable() -> None:
    too_long = []
    for path in committed("src/*.py", "tests/*.py", "bench/*.py"):
        text = path.read_text()
        if text.count("\n") > LONGEST_FILE:
            too_long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        too_long += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno is not None
            and node.end_lineno - node.lineno >= LONGEST_FUNCTION
            and "migrations" not in path.parts  # a list of columns, written by Alembic
        ]
    assert too_long == []


def test_groups_of_exceptions_are_taken_apart_by_one_function() -> None:
    """That is `errors.ungrouped`, which says why `except*` will not do."""
    trees = {path: ast.parse(path.read_text()) for path in committed("src/*.py")}
    assert len(trees) > 100
    found = [path for path, tree in trees.items() if any(isinstance(node, ast.TryStar) for node in ast.walk(tree))]
    assert found == []


def test_links_in_the_documents_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in committed("*.md")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert dead == []
