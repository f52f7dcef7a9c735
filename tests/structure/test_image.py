"""The image, as far as no container engine is needed: what goes into it, who it runs as, and that every role starts
from the copied files alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.chassis.settings import PREFIX, load
from services.frontdoor.__main__ import ROOMS
from services.house import urls
from tests.structure.source import ROOT

INSTRUCTIONS = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
COPIES = [each.split()[1:] for each in INSTRUCTIONS if each.startswith("COPY ") and "--from=" not in each]


def last(instruction: str) -> str:
    """What the last such instruction says."""
    return [each for each in INSTRUCTIONS if each.startswith(f"{instruction} ")][-1].partition(" ")[2]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's /app: what the Dockerfile copies there, and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    for source, target in COPIES:
        if target.startswith("/app/"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, folder / target.removeprefix("/app/"), ignore=ignored)
    return folder


def run(app: Path, home: Path, arguments: list[str], **chosen: str) -> subprocess.CompletedProcess[str]:
    """Runs the entrypoint with these arguments in the image's environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= dict(re.findall(r"(\S+?)=(\S+)", last("ENV").replace("/app", str(app)).replace("$PATH", "")))
    environment |= {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "ZWROTKA_HOME": str(home), **chosen}
    command = [*json.loads(last("ENTRYPOINT")), *arguments]
    return subprocess.run(command, cwd=app, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_it_copies_what_there_is() -> None:
    assert [source for source, _ in COPIES if not (ROOT / source).exists()] == []


def test_the_build_is_shown_what_it_copies_and_nothing_else() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [each for each in rules if each and not each.startswith("#")]
    assert rules[0] == "*"
    assert rules[-1] == "**/__pycache__"
    assert {each.removeprefix("!") for each in rules[1:-1]} == {source for source, _ in COPIES}
    assert all(each.startswith("!") for each in rules[1:-1])


def test_dependencies_come_by_their_hashes_and_from_no_named_place() -> None:
    (installs,) = [each for each in INSTRUCTIONS if "pip install" in each]
    assert "--require-hashes" in installs
    assert "--only-binary :all:" in installs
    assert not [each for each in INSTRUCTIONS if "://" in each or "index" in each]


def test_every_stage_starts_from_the_same_pinned_image() -> None:
    stages = [each.split()[1] for each in INSTRUCTIONS if each.startswith("FROM ")]
    assert stages == ["python:3.11-slim-bookworm"] * 2


def test_it_runs_as_nobody_in_particular() -> None:
    user, group = last("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0
    final_stage = INSTRUCTIONS[max(at for at, each in enumerate(INSTRUCTIONS) if each.startswith("FROM ")) :]
    assert f"USER {user}:{group}" in final_stage


def test_its_environment_is_made_of_settings() -> None:
    variables = dict(re.findall(r"(ZWROTKA_\w+)=(\S+)", last("ENV")))
    assert load(variables).listen == "0.0.0.0"


def test_without_a_role_it_lists_the_settings(app: Path, tmp_path: Path) -> None:
    told = run(app, tmp_path, json.loads(last("CMD")))
    assert told.returncode == 0, told.stderr
    assert "ZWROTKA_DATABASE" in told.stdout


@pytest.mark.parametrize("role", [*urls.SERVICES, *ROOMS])
def test_every_role_starts_from_the_copied_files_and_says_which_secret_it_lacks(
    app: Path, tmp_path: Path, role: str
) -> None:
    arguments = ["services.frontdoor", role] if role in ROOMS else [f"services.{role}"]
    told = run(app, tmp_path, arguments, ZWROTKA_TELEGRAM_TOKEN="1:a")
    assert told.returncode == 1
    assert f"{role} cannot start: No such file or directory ({tmp_path}/" in told.stderr
