"""What the documents promise: commands that parse, files that exist, code that runs."""

import dataclasses
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tyro

from pixie_runtime.options import Options, with_view_port
from pixie_runtime.stream_options import StreamOptions

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    path
    for folder in (".", "docs", "docs/receivers", "runtime", "export", "benchmarks")
    for path in sorted((ROOT / folder).glob("*.md"))
]
COMMANDS = re.findall(r"^    (pixie-live .*?)(?:\s+#.*)?$", README, re.MULTILINE)


def targets_of_the_makefile() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_the_first_block_is_two_commands_that_the_makefile_has() -> None:
    block = re.search(r"(?:^    .+\n)+", README, re.MULTILINE)
    assert block is not None
    commands = [line.split() for line in block.group().splitlines()]
    assert commands == [["make", "demo"], ["make", "test"]]
    assert {"demo", "test"} <= targets_of_the_makefile()


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str) -> None:
    options = tyro.cli(Options, args=with_view_port(shlex.split(command)[1:]))
    assert options != Options()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_guide_names_one_source(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for command in re.findall(r"^ *(pixie-live --(?:.*\\\n)*.*)$", text, re.MULTILINE):
        named = re.findall(r"--(?:camera|video|images|demo|help)\b", command)
        assert len(named) == 1, command


def option_names() -> set[str]:
    fields = (*dataclasses.fields(Options), *dataclasses.fields(StreamOptions))
    names = {field.name for field in fields} - {"streaming"}
    return {f"--{name.replace('_', '-')}" for name in names}


def test_every_option_is_in_the_readme_or_in_a_guide() -> None:
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    for option in sorted(option_names()):
        assert re.search(rf"[` ]{option}\b", text), option


def test_every_option_in_the_readme_exists() -> None:
    in_tables = set(re.findall(r"^\| .*?`(--[a-z-]+)", README, re.MULTILINE))
    assert in_tables <= option_names()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_python_in_the_runtime_s_readme_runs(tmp_path: Path) -> None:
    text = (ROOT / "runtime/README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "runtime")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("PartConfidence(") == 5
