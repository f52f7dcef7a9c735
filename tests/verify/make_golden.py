"""Writes the golden receipts: good ones, and bad ones that are each wrong in one way.

    python -m tests.verify.make_golden

Keys and signatures are the same each time, so that an unchanged format leaves the files unchanged. Each bad receipt
is sealed by the real seal and logged by the real log wherever its fault allows: it must be refused for that fault.
"""

import hashlib
import shutil
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from services.receipts.evidence import Deadline, Event, Issuer, Part, Party, evidence_of
from tests.verify.forge import (
    C14N11,
    CA,
    DECLARATION,
    ECDSA_SHA1,
    ENVELOPED,
    EVIDENCE,
    EXCLUSIVE,
    KEY_INFO,
    OFFICE,
    ORIGIN,
    PROPERTIES,
    SEAL,
    SHA1,
    UNIT,
    XPATH,
    Log,
    Reference,
    Sealer,
    certified,
    file_of,
)

GOLDEN = Path(__file__).parent / "golden"
LETTER = b"Subject: dziura w drodze\r\n\r\nProsz\xc4\x99 o napraw\xc4\x99.\r\n"
_ISSUER = Issuer(OFFICE, "przykladowo.example", ORIGIN)
_TWELVE = datetime(2026, 11, 25, 12, tzinfo=UTC)
_RESIDENT = Party("urn:uuid:6f2c1c52-94b1-4e5e-8f0e-3c1f5c0a7d11", "profile")
_OFFICE = Party("spiffe://przykladowo.example/unit/SO", "unit", "Referat Spraw Obywatelskich")
ACCEPTANCE = Event(
    evidence_id="0192f7e4-5a10-7c3e-9b1d-2f6a8c4e0b57",
    kind="SubmissionAcceptance",
    occurred_at=_TWELVE,
    submitted_at=_TWELVE,
    message_id="ZW-F7A8-UWK9-Q2DR",
    sender=_RESIDENT,
    recipient=_OFFICE,
    parts=(
        Part("letter.eml", "message/rfc822", hashlib.sha256(LETTER).digest()),
        Part("1", "text/plain", bytes(range(32))),
    ),
    channel="smtp",
    facts=(("client-host", "mail.example [192.0.2.1]"), ("dkim", "pass d=example.org")),
    deadline=Deadline("art. 35 § 3 k.p.a.", "2026-11-25", "2026-12-28"),
    unit="SO",
)
_ANSWER = replace(
    ACCEPTANCE,
    evidence_id="0192f7e4-5a10-7c3e-9b1d-2f6a8c4e0b58",
    kind="RelayToNonERDS",
    sender=_OFFICE,
    recipient=_RESIDENT,
    facts=(("reply", '250 2.0.0 Ok: queued <as> "4X" & more\r\n'),),
    deadline=None,
)
_YEARS_AGO = datetime(2021, 5, 4, 9, 30, 0, 123_000, tzinfo=UTC)
_OLD = replace(ACCEPTANCE, occurred_at=_YEARS_AGO, submitted_at=_YEARS_AGO)

TEXT = evidence_of(ACCEPTANCE, _ISSUER)
RECEIPT = Sealer().sealed(TEXT)
_EXPIRED = certified(OFFICE, CA, key="old seal", years=(2020, 2022))
_TWIN = certified(OFFICE, CA, key="twin")
_OTHER_CA = certified("Test CA", None, key="other CA", uses=("key_cert_sign", "crl_sign"), authority=True)
_STRANGER = certified(OFFICE, _OTHER_CA, key="stranger")
_SERVICE = certified("receipts", CA, others=[x509.SubjectAlternativeName([x509.DNSName("localhost")])])
_CODE_SIGNER = certified("code", CA, others=[x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CODE_SIGNING])])
_UNHEARD_OF = certified(
    OFFICE, CA, key="u", critical=[x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")]
)
_SMALL_AUTHORITY = certified(OFFICE, CA, key="small", authority=True)
_OTHER_CURVE = certified(OFFICE, CA, key="k", curve=ec.SECP256K1())
_DIGITAL_SIGNATURE_ONLY = certified("d", CA, uses=("digital_signature",))
# Signed by nobody who matters: it is there to name the victim as somebody's issuer.
_CHILD_OF_VICTIM = certified("child", replace(SEAL, key=UNIT.key))


@dataclass(frozen=True)
class Good:
    """A receipt that passes."""

    xml: bytes
    proof: bytes


@dataclass(frozen=True)
class Bad:
    """A receipt refused by exactly one check. `fools_stock`: xmlsec1 says OK."""

    check: str
    xml: bytes = RECEIPT
    proof: bytes = b""
    fools_stock: bool = False
    stock_arguments: tuple[str, ...] = ()

    @property
    def logged(self) -> bytes:
        """Its proof; by default a proof that holds."""
        return self.proof or Log().proof(Log().entry(self.xml))


def good() -> dict[str, Good]:
    """The good receipts."""
    answer = Sealer().sealed(evidence_of(_ANSWER, _ISSUER))
    old = Sealer(_EXPIRED, signed_at="2021-05-04T09:26:00.000Z").sealed(evidence_of(_OLD, _ISSUER))
    return {
        "acceptance": Good(RECEIPT, Log().proof(Log().entry(RECEIPT))),
        "answer-relayed": Good(answer, Log(index=6).proof(Log().entry(answer, "RelayToNonERDS"))),
        "sealed-by-a-certificate-since-expired": Good(
            old, Log(index=0, size=1).proof(Log().entry(old, time="2021-05-04T09:30:00.123Z"))
        ),
    }


def bad() -> dict[str, Bad]:
    """The bad receipts, by reason."""
    return {**_not_plain(), **_misshapen(), **_built_otherwise(), **_sealed_by_others(), **_changed(), **_not_logged()}


def huge() -> Bad:
    """Too large to keep: sealed and logged like any other, 1 MB long."""
    return Bad(
        "well-formed-and-plain",
        Sealer().sealed(TEXT.replace("pass d=example.org", "pass " * 200_000)),
        fools_stock=True,
    )


def _changed_in(xml: bytes, old: str, new: str) -> bytes:
    assert xml.count(old.encode()) == 1, old
    return xml.replace(old.encode(), new.encode())


def _rewritten(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def _not_plain() -> dict[str, Bad]:
    check = "well-formed-and-plain"
    unit, number = "unit/SO</Identifier>", "ZW-F7A8"
    entity = RECEIPT.replace(b"?>\n", b'?>\n<!DOCTYPE ev:Evidence [<!ENTITY n "ZW">]>\n', 1)
    instruction = Sealer().sealed(_rewritten(number, f"<?xml-stylesheet href='x'?>{number}"))
    utf16 = RECEIPT.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    return {
        "comment-in-a-field": Bad(check, _changed_in(RECEIPT, unit, f"unit/<!-- -->SO{unit[7:]}"), fools_stock=True),
        "cdata-in-a-field": Bad(check, _changed_in(RECEIPT, number, "<![CDATA[ZW]]>-F7A8"), fools_stock=True),
        "processing-instruction": Bad(check, instruction, fools_stock=True),
        "entity": Bad(check, _changed_in(entity, number, "&n;-F7A8")),
        "document-type": Bad(check, RECEIPT.replace(b"?>\n", b"?>\n<!DOCTYPE x>\n", 1), fools_stock=True),
        "line-ends-changed": Bad(check, RECEIPT.replace(b"\n", b"\r\n"), fools_stock=True),
        "utf-16": Bad(check, utf16, fools_stock=True),
        "byte-order-mark": Bad(check, b"\xef\xbb\xbf" + RECEIPT, fools_stock=True),
        "other-spelling": Bad("spelling", RECEIPT.replace(b"></ds:DigestMethod>", b"/>"), fools_stock=True),
        "character-reference": Bad("spelling", _changed_in(RECEIPT, number, "&#90;W-F7A8"), fools_stock=True),
        "cut-short": Bad(check, RECEIPT[:-20]),
    }


def _misshapen() -> dict[str, Bad]:
    sealed = Sealer().sealed
    letter = f"  <ev:MessageIdentifier>{ACCEPTANCE.message_id}</ev:MessageIdentifier>\n"
    time = "  <EventTime>2026-11-25T12:00:00.000Z</EventTime>\n"
    texts = {
        "unknown-element": _rewritten(letter, f"{letter}  <ev:Note>and nothing else</ev:Note>\n"),
        "unknown-attribute": _rewritten("<ev:MessageIdentifier>", '<ev:MessageIdentifier note="void">'),
        "element-without-its-namespace": TEXT.replace("ev:SubmissionTime>", "SubmissionTime>"),
        "other-order": _rewritten(letter, "").replace(time, time + letter),
        "text-between-elements": _rewritten(letter, f"{letter}  void\n"),
        "element-in-a-field": _rewritten(ACCEPTANCE.message_id, f"{ACCEPTANCE.message_id}<ev:Note></ev:Note>"),
        "two-letters": _rewritten(letter, letter + letter),
        "no-letter": _rewritten(letter, ""),
        "parts-miscounted": _rewritten("<ComposingParts>2<", "<ComposingParts>3<"),
        "other-version": _rewritten("EN319522v1.1.1", "EN319522v1.2.1"),
        "time-with-an-offset": _rewritten("000Z</ev:SubmissionTime>", "000+00:00</ev:SubmissionTime>"),
        "hour-that-never-comes": TEXT.replace("T12:00:00.000Z</E", "T24:00:00.000Z</E"),
        "day-that-never-comes": _rewritten("2026-12-28", "2026-12-32"),
    }
    found = {name: Bad("shape", sealed(text), fools_stock=True) for name, text in texts.items()}
    found["another-document"] = Bad("shape", DECLARATION.encode() + b"<list></list>\n")
    return found | {"two-seals": Bad("shape", _with_a_second_seal(), fools_stock=True)}


def _with_a_second_seal() -> bytes:
    """The real seal covers all but itself, another seal behind it included: there it can say anything."""
    other = etree.tostring(etree.fromstring(RECEIPT)[-1]).decode()
    other = other.replace('"seal', '"other').replace('"evidence"', '"e"').replace("2026-11-25", "2020-01-01")
    root = etree.fromstring(Sealer().sealed(TEXT.replace("</ev:Evidence>", f"{other}</ev:Evidence>")))
    root.append(root[-2])
    return file_of(root)


def _built_otherwise() -> dict[str, Bad]:
    check = "signature-structure"

    def made(sealer: Sealer, text: str = TEXT) -> Bad:
        return Bad(check, sealer.sealed(text), fools_stock=True)

    properties = etree.fromstring(RECEIPT)[-1][-1][0][0]
    earlier = etree.tostring(properties).decode().replace("2026-11-25", "2020-01-01").replace("seal-prop", "first-prop")
    hidden = replace(EVIDENCE, transforms=(ENVELOPED, XPATH, C14N11))
    xpath = _changed_in(
        Sealer(references=(hidden, PROPERTIES, KEY_INFO)).sealed(TEXT), "SO</Identifier>", "KD</Identifier>"
    )
    exclusive = tuple(
        replace(each, transforms=(*each.transforms[:-1], EXCLUSIVE)) for each in (EVIDENCE, PROPERTIES, KEY_INFO)
    )
    original = TEXT.replace("<ev:Evidence ", '<ev:Evidence Id="original" ', 1)
    wrapper = Sealer(
        references=(Reference("#original", 'Id="evidence" '), PROPERTIES, KEY_INFO),
        objects=f"<ds:Object>{original}</ds:Object>",
    )
    wrapped = wrapper.sealed(_rewritten('profile">urn:uuid:6f2c1c52', 'profile">urn:uuid:00000000'))
    return {
        "wrapped-and-found-by-id": Bad(
            check, wrapped, fools_stock=True, stock_arguments=("--id-attr:Id", "http://uri.etsi.org/19522/v1#:Evidence")
        ),
        "two-signed-properties": made(Sealer(before=earlier)),
        "signed-properties-not-referenced": made(Sealer(references=(EVIDENCE, KEY_INFO))),
        "only-a-part-referenced": made(
            Sealer(references=(replace(KEY_INFO, attributes='Id="evidence" '), PROPERTIES, KEY_INFO))
        ),
        "one-reference-more": made(Sealer(references=(EVIDENCE, PROPERTIES, KEY_INFO, KEY_INFO))),
        "xpath-transform": Bad(check, xpath, fools_stock=True),
        "sha-1-in-a-reference": made(Sealer(references=(replace(EVIDENCE, digest=SHA1), PROPERTIES, KEY_INFO))),
        "sha-1-in-the-signature": made(Sealer(method=ECDSA_SHA1)),
        "exclusive-c14n": made(Sealer(references=exclusive)),
        "exclusive-c14n-of-signed-info": made(Sealer(c14n=EXCLUSIVE)),
        "object-beside-the-properties": made(Sealer(objects="<ds:Object>void</ds:Object>")),
        "text-behind-the-seal": Bad(check, _changed_in(RECEIPT, "</ds:Signature>", "</ds:Signature>\n")),
    }


def _sealed_by_others() -> dict[str, Bad]:
    def made(check: str, sealer: Sealer, *, fools_stock: bool = True) -> Bad:
        return Bad(check, sealer.sealed(TEXT), fools_stock=fools_stock)

    one, seal = "one-certificate", "seal-certificate"
    three = [SEAL.der, _CHILD_OF_VICTIM.der, UNIT.der]
    return {
        "three-certificates": made(one, Sealer(UNIT, certificates=three, names=SEAL.der)),
        "two-certificates": made(one, Sealer(certificates=[SEAL.der, CA.der])),
        "twin-certificate": made(one, Sealer(_TWIN, names=SEAL.der)),
        "key-name-beside-the-certificate": made(one, Sealer(key_info="<ds:KeyName>seal</ds:KeyName>")),
        "twin-from-another-authority": made(seal, Sealer(_STRANGER), fools_stock=False),
        "sealed-by-a-unit": made(seal, Sealer(UNIT)),
        "sealed-by-a-service": made(seal, Sealer(_SERVICE)),
        "sealed-by-a-code-signer": made(seal, Sealer(_CODE_SIGNER)),
        "sealed-by-the-authority": made(seal, Sealer(CA)),
        "sealed-by-a-seal-that-is-an-authority": made(seal, Sealer(_SMALL_AUTHORITY)),
        "sealed-by-a-key-of-another-curve": made(seal, Sealer(_OTHER_CURVE)),
        "unknown-critical-extension": made(seal, Sealer(_UNHEARD_OF), fools_stock=False),
        "no-non-repudiation": made(seal, Sealer(_DIGITAL_SIGNATURE_ONLY)),
        "expired-before-sealing": made(seal, Sealer(_EXPIRED), fools_stock=False),
        "not-a-certificate": made(one, Sealer(certificates=[b"0"], names=b"0"), fools_stock=False),
    }


def _changed() -> dict[str, Bad]:
    def values(xml: bytes) -> tuple[str, str]:
        seal = etree.fromstring(xml)[-1]
        return seal[0][2][2].text or "", seal[1].text or ""

    earlier = TEXT.replace("2026-11-25T12:00:00", "2026-11-24T12:00:00")
    earlier_digest, _ = values(Sealer().sealed(earlier))
    digest, signature = values(RECEIPT)
    altered = RECEIPT.replace(b"2026-11-25T12:00:00", b"2026-11-24T12:00:00")
    time = "2026-11-24T12:00:00.000Z"
    entry = Log().entry
    redigested = _changed_in(altered, digest, earlier_digest)
    changed = _changed_in(RECEIPT, b64encode(bytes(range(32))).decode(), b64encode(bytes(32)).decode())
    by_twin = _changed_in(
        RECEIPT, signature, values(Sealer(_TWIN, certificates=[SEAL.der], names=SEAL.der).sealed(TEXT))[1]
    )
    return {
        "altered-field": Bad("digests", _changed_in(RECEIPT, "unit/SO<", "unit/KD<")),
        "altered-time": Bad("digests", altered, Log().proof(entry(altered, time=time))),
        "altered-digest-of-a-part": Bad("digests", changed),
        "altered-signing-time": Bad("digests", _changed_in(RECEIPT, "12:00:01.000Z", "12:00:02.000Z")),
        "altered-digest": Bad("signature", redigested, Log().proof(entry(redigested, time=time))),
        "signed-by-a-twin": Bad("signature", by_twin),
        "signature-of-zeros": Bad("signature", _changed_in(RECEIPT, signature, b64encode(bytes(64)).decode())),
        "sealed-before-the-event": Bad(
            "signing-time", Sealer(signed_at="2026-11-25T11:54:59.999Z").sealed(TEXT), fools_stock=True
        ),
    }


def _not_logged() -> dict[str, Bad]:
    log, entry = Log(), Log().entry(RECEIPT)
    proof = log.proof(entry)
    head, blank, note = proof.partition(b"\n\n")
    lines = head.split(b"\n")
    # A checkpoint of the real log for another tree, joined to this receipt's entry and path.
    another_tree = head + blank + log.proof(b"another").partition(b"\n\n")[2]

    def made(check: str, change: Callable[[], bytes]) -> Bad:
        return Bad(check, proof=change(), fools_stock=True)

    def joined(rows: list[bytes]) -> bytes:
        return b"\n".join(rows) + blank + note

    return {
        "proof-without-entry": made("log-proof", lambda: joined([lines[0], *lines[2:]])),
        "proof-of-another-version": made("log-proof", lambda: proof.replace(b"@v1", b"@v2", 1)),
        "proof-with-crlf": made("log-proof", lambda: proof.replace(b"\n", b"\r\n")),
        "checkpoint-by-another-key": made("checkpoint-signature", lambda: Log(key="another").proof(entry)),
        "checkpoint-of-another-size": made("checkpoint-signature", lambda: proof.replace(b"\n7\n", b"\n8\n")),
        "checkpoint-by-a-key-of-another-name": made("checkpoint-signature", lambda: Log(name="other").proof(entry)),
        "checkpoint-unsigned": made("log-proof", lambda: proof[: proof.index("—".encode())]),
        "checkpoint-with-an-extension": made("checkpoint-signature", lambda: Log(origin=f"{ORIGIN}\nx").proof(entry)),
        "other-origin": made("log-origin", lambda: Log(origin="zwrotka.przykladowo.example/2025").proof(entry)),
        "proof-of-another-receipt": made("log-entry", lambda: log.proof(log.entry(b"another"))),
        "entry-with-another-event": made("log-entry", lambda: log.proof(log.entry(RECEIPT, "RelayToNonERDS"))),
        "entry-with-another-time": made(
            "log-entry", lambda: log.proof(log.entry(RECEIPT, time="2026-11-25T12:00:00.001Z"))
        ),
        "entry-of-another-form": made("log-entry", lambda: log.proof(entry.replace(b"leaf/v1", b"leaf/v2"))),
        "entry-never-logged": made("inclusion", lambda: another_tree),
        "path-cut-short": made("inclusion", lambda: joined(lines[:-1])),
        "path-too-long": made("inclusion", lambda: joined([*lines, lines[-1]])),
        "path-in-another-order": made("inclusion", lambda: joined([*lines[:3], *lines[:2:-1]])),
        "another-place": made("inclusion", lambda: proof.replace(b"index 4", b"index 5")),
        "place-outside-the-log": made("inclusion", lambda: proof.replace(b"index 4", b"index 7")),
    }


def files() -> dict[str, bytes]:
    """All golden files by their path."""
    found = {"good/ca.pem": CA.pem, "good/log.vkey": f"{Log().verifier_key}\n".encode()}
    for name, receipt in good().items():
        found |= {f"good/{name}.xml": receipt.xml, f"good/{name}.tlog-proof": receipt.proof}
    for name, wrong in bad().items():
        found |= {f"bad/{name}.xml": wrong.xml, f"bad/{name}.tlog-proof": wrong.logged}
    return found


def main() -> None:
    """Replaces the golden files."""
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for path, content in files().items():
        file = GOLDEN / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


if __name__ == "__main__":
    main()
