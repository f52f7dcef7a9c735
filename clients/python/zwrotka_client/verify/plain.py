"""The file as bytes: small, UTF-8, and made of nothing but elements and text.

Comments, processing instructions, CDATA and entities are where a file says one thing to a program and another to
its reader, or costs more to read than to send. Receipts are written without them, and every content in one spelling.
"""

import re

from lxml import etree

from .verdict import Refused

MAX_BYTES = 1_000_000
MAX_TAG = 1_000  # the longest, the root's, has 400; attributes and namespaces cost the square of their number
_LONG_TAG = re.compile(rf"<[^>]{{{MAX_TAG}}}")
_DECLARING_TAG = re.compile(r"<[^>]*\sxmlns")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SURPRISES = {
    "<!--": "The file holds a comment, which a receipt never does.",
    "<![CDATA[": "The file holds a CDATA section, which a receipt never does.",
    "<!": "The file declares a document type or entities, which a receipt never does.",
    "<?": "The file holds a processing instruction, which a receipt never does.",
}


def parse(xml: bytes) -> etree._Element:
    """The root element."""
    if len(xml) > MAX_BYTES:
        raise Refused(f"The file is larger than {MAX_BYTES:,} bytes, which no receipt is.")
    try:
        text = xml.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("The file is not written in UTF-8.") from error
    if "\r" in text:
        raise Refused("The file's line ends were changed after it was issued; take it again from where it came.")
    if not text.startswith(_DECLARATION):
        raise Refused("The file does not begin as receipts do, with the XML declaration for UTF-8.")
    content = text.removeprefix(_DECLARATION)
    for mark, sentence in _SURPRISES.items():
        if mark in content:
            raise Refused(sentence)
    if _LONG_TAG.search(content):
        raise Refused(f"The file holds a tag of more than {MAX_TAG:,} characters, which no receipt does.")
    if len(_DECLARING_TAG.findall(content)) > 1:
        raise Refused("The file declares namespaces in its midst, which a receipt never does.")
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise Refused("The file is not well-formed XML.") from error


def must_be_spelled_as_issued(xml: bytes, root: etree._Element) -> None:
    """Refuses every spelling but that in which receipts are issued: declaration, canonical form, newline.

    For roots whose shape is known only: on hostile ones libxml2 takes minutes to find the canonical form.
    """
    if b"%s%s\n" % (_DECLARATION.encode(), canonical(root)) != xml:
        raise Refused("The file is not in the spelling in which receipts are issued, Canonical XML 1.1.")


def canonical(element: etree._Element) -> bytes:
    """An element as Canonical XML 1.1 writes it.

    libxml2 knows 1.0 here; the two differ in xml: attributes only, and where the shape holds there are none.
    """
    try:
        return etree.tostring(element, method="c14n")
    except etree.C14NError as error:  # a relative namespace is well-formed and has no canonical form
        raise Refused("The file has no canonical form.") from error
