"""A grammar small enough to read: which elements stand where, with which attributes and which text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from .verdict import Refused

ANY_TEXT = r"(?s:.*)"
SOME_TEXT = r"(?s:.+)"


@dataclass(frozen=True)
class Element:
    """One kind of element at one place.

    `text` and the attributes' values are patterns for the whole value; without `text` it holds elements only.
    What an `opaque` element holds is judged by someone else.
    """

    tag: str
    children: tuple["Element", ...] = ()
    text: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    least: int = 1
    most: int = 1
    opaque: bool = False


def must_fit(element: etree._Element, rule: Element) -> None:
    """Refuses an element that is not exactly as the rule says: nothing unknown, nothing missing, order kept."""
    if element.tag != rule.tag:
        raise Refused(f"The file is not a receipt: it begins with {_plain(element.tag)}, not with {_plain(rule.tag)}.")
    _must_have_attributes(element, rule)
    if rule.opaque:
        return
    if rule.text is not None:
        if len(element):
            raise Refused(f"{_plain(rule.tag)} holds elements where only text is due.")
        if not re.fullmatch(rule.text, element.text or "", re.ASCII):
            raise Refused(f"{_plain(rule.tag)} is not written as a receipt writes it.")
        return
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        raise Refused(f"There is text between the elements of {_plain(rule.tag)}.")
    rest = list(element)
    for child in rule.children:
        count = 0
        while rest and count < child.most and rest[0].tag == child.tag:
            must_fit(rest.pop(0), child)
            count += 1
        if count < child.least:
            raise Refused(f"{_plain(rule.tag)} lacks {_plain(child.tag)}, or has it in the wrong place or namespace.")
    if rest:
        raise Refused(f"{_plain(rule.tag)} holds {_plain(rest[0].tag)}, which has no place there.")


def _must_have_attributes(element: etree._Element, rule: Element) -> None:
    if set(element.attrib) != set(rule.attributes):
        raise Refused(f"{_plain(rule.tag)} does not have the attributes that a receipt gives it.")
    for name, pattern in rule.attributes.items():
        if not re.fullmatch(pattern, str(element.attrib[name]), re.ASCII):
            raise Refused(f"The attribute {_plain(name)} of {_plain(rule.tag)} is not what a receipt says.")


def _plain(tag: str) -> str:
    """A tag for a sentence: without namespace, and no longer than a name should be."""
    return etree.QName(tag).localname[:40]
