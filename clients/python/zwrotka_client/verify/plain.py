"""The file as bytes: small, UTF-8, and made of nothing but elements and text.

Comments, processing instructions, CDATA and entities are where a file says one thing to a program and another to
its reader, or costs more to read than to send. Receipts are written without them and in canonical form, so that
nothing else is let in: one content has one spelling.
"""

from lxml import etree

from .verdict import Refused

MAX_BYTES = 1_000_000
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
    content = text.removeprefix(_DECLARATION)
    for mark, sentence in _SURPRISES.items():
        if mark in content:
            raise Refused(sentence)
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise Refused("The file is not well-formed XML.") from error
    if f"{_DECLARATION}{canonical(root).decode()}\n" != text:
        raise Refused("The file is not in the spelling in which receipts are issued, Canonical XML 1.1.")
    return root


def canonical(element: etree._Element) -> bytes:
    """An element as Canonical XML 1.1 writes it. Without xml: attributes, which `parse` lets in only where a later
    check of all attributes refuses them, it is the same as 1.0, which is what libxml2 does here."""
    return etree.tostring(element, method="c14n")
