"""README, ONE-LETTER and make help speak of what there is."""

import re

from services.chassis import settings
from tests.structure.source import ROOT, definitions_of

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
ONE_LETTER = (ROOT / "ONE-LETTER.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
SETTINGS = {variable for variable, _, _ in settings.Settings().shown()}


def test_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert named
    assert named - TARGETS == set()


def test_every_setting_of_the_readme_exists() -> None:
    named = {name.removesuffix("_FILE") for name in re.findall(r"ZWROTKA_[A-Z_]+[A-Z]", README)}
    assert named
    assert named - SETTINGS - {"ZWROTKA_DESK_PASSWORD"} == set()


def test_every_target_is_explained_by_make_help() -> None:
    explained = set(re.findall(r"^([a-z-]+):[^\n]*## ", MAKEFILE, re.MULTILINE))
    assert TARGETS - explained == set()


def test_the_way_of_one_letter_is_the_one_in_the_code() -> None:
    steps = re.findall(r"^(\d+)\. ", ONE_LETTER, re.MULTILINE)
    assert steps == [str(number) for number in range(1, 11)]
    places = re.findall(r"`((?:services|clients)/[\w/]+\.py)` `([\w.]+)`", ONE_LETTER)
    assert len(places) >= 10
    missing = [(file, name) for file, name in places if name not in definitions_of(ROOT / file)]
    assert missing == []
