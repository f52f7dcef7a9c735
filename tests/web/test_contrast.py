"""Every colour is read on its ground by WCAG 2.1 AA (1.4.3, 1.4.11), by day and by night."""

import re
from pathlib import Path

import pytest

from services.frontdoor.web import pages

SHEET = (Path(pages.__file__).parent / "static/style.css").read_text(encoding="utf-8")
TEXT = 4.5
SHAPE = 3.0
PAIRS = [
    *[("ink", ground, TEXT) for ground in ("paper", "raised", "slip", "good-paper", "bad-paper", "warn-paper")],
    *[("soft", ground, TEXT) for ground in ("paper", "raised", "good-paper", "bad-paper", "warn-paper")],
    *[("link", ground, TEXT) for ground in ("paper", "raised", "slip", "bad-paper", "warn-paper")],
    *[(name, ground, TEXT) for name in ("good", "bad", "warn") for ground in ("paper", f"{name}-paper")],
    ("slip-soft", "slip", TEXT),
    ("on-wax", "wax", TEXT),
    *[("focus", ground, SHAPE) for ground in ("paper", "raised", "slip", "warn-paper")],
]


def _palettes() -> dict[str, dict[str, str]]:
    day, night = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
    return {
        name: dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6});", colours))
        for name, colours in (("day", day), ("night", night))
    }


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["day", "night"])
def test_every_colour_is_read_on_its_ground(scheme: str) -> None:
    colours = _palettes()[scheme]
    for name, ground, least in PAIRS:
        darker, lighter = sorted((_luminance(colours[name]), _luminance(colours[ground])))
        assert (lighter + 0.05) / (darker + 0.05) >= least, f"{name} on {ground} by {scheme}"


def test_night_has_every_colour_of_day() -> None:
    palettes = _palettes()
    assert palettes["day"].keys() == palettes["night"].keys()


def test_a_keyboard_user_sees_where_they_are() -> None:
    assert ":focus-visible { outline: 3px solid var(--focus)" in SHEET
    assert re.findall(r"[^{}]*\{[^}]*outline: none[^}]*\}", SHEET) == ["\nmain:focus { outline: none; }"]
