"""Whatever is handed in gives a verdict, soon, and nothing but the receipt itself passes."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zwrotka_client.verify import Verdict, verify_receipt

from tests.verify.forge import SEAL, Log, Sealer
from tests.verify.make_golden import GOLDEN, RECEIPT, TEXT

PROOF = (GOLDEN / "good/acceptance.tlog-proof").read_bytes()
CA = (GOLDEN / "good/ca.pem").read_bytes()
LOG_KEY = (GOLDEN / "good/log.vkey").read_text()
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
BYTES = st.integers(0, 255)


def verdict_of(xml: bytes = RECEIPT, proof: bytes = PROOF) -> Verdict:
    """The verdict on what is handed in."""
    return verify_receipt(xml, proof, ca_pem=CA, log_key=LOG_KEY)


def sealed_checks_fail(xml: bytes) -> bool:
    """Whether the XML is refused by itself, whatever its proof says."""
    return any(check.name != "log-entry" for check in verdict_of(xml).failed)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(RECEIPT) - 1), BYTES)
def test_a_receipt_with_one_byte_changed_is_refused_even_without_its_proof(place: int, byte: int) -> None:
    changed = RECEIPT[:place] + bytes([byte]) + RECEIPT[place + 1 :]
    assert sealed_checks_fail(changed) == (changed != RECEIPT)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(RECEIPT)), st.binary(min_size=1, max_size=3))
def test_a_receipt_with_bytes_put_in_is_refused_even_without_its_proof(place: int, more: bytes) -> None:
    assert sealed_checks_fail(RECEIPT[:place] + more + RECEIPT[place:])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(RECEIPT) - 1), st.integers(1, 3))
def test_a_receipt_with_bytes_taken_out_is_refused_even_without_its_proof(place: int, count: int) -> None:
    assert sealed_checks_fail(RECEIPT[:place] + RECEIPT[place + count :])


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(PROOF) - 1), BYTES)
def test_a_proof_with_one_byte_changed_is_refused(place: int, byte: int) -> None:
    changed = PROOF[:place] + bytes([byte]) + PROOF[place + 1 :]
    assert verdict_of(proof=changed).passed == (changed == PROOF)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_random_bytes_are_refused_without_an_exception(xml: bytes, proof: bytes) -> None:
    assert not verdict_of(xml, proof).passed
    assert not verdict_of(DECLARATION + xml).passed
    assert not verdict_of(proof=PROOF[: len(proof)] + proof).passed


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SEAL.der) - 1), BYTES)
def test_a_malformed_certificate_is_refused_without_an_exception(place: int, byte: int) -> None:
    der = SEAL.der[:place] + bytes([byte]) + SEAL.der[place + 1 :]
    verdict = verdict_of(Sealer(certificates=[der], names=der).sealed(TEXT))
    refused = {check.name for check in verdict.failed} & {"one-certificate", "seal-certificate"}
    assert bool(refused) == (der != SEAL.der)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.binary(max_size=60))
def test_random_keys_are_refused_without_an_exception(log_key: str, ca_pem: bytes) -> None:
    verdict = verify_receipt(RECEIPT, PROOF, ca_pem=ca_pem, log_key=log_key)
    assert [check.name for check in verdict.failed] == ["seal-certificate"]
    verdict = verify_receipt(RECEIPT, PROOF, ca_pem=CA, log_key=log_key)
    assert [check.name for check in verdict.failed] == ["checkpoint-signature"]


def many(text: str, count: int) -> str:
    """The text again and again, `#` replaced by a number."""
    return "".join(text.replace("#", str(number)) for number in range(count))


NAMESPACES = many(' xmlns:a#="u:#"', 50)
SLOW = {
    "attributes": "<a" + many(' a#=""', 80_000) + "></a>",
    "namespaces": "<a" + many(' xmlns:a#="u:#"', 40_000) + "></a>",
    "namespaces-in-namespaces": many(f"<a{NAMESPACES}>", 200) + "</a>" * 200,
    "namespaces-in-depth": f"<a{NAMESPACES}>" + "<a>" * 240 + "<b></b>" * 120_000 + "</a>" * 241,
    "elements-in-a-receipt": TEXT.replace("<ev:Extensions>", "<ev:Extensions>" + "<ev:a></ev:a>" * 70_000),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_file_made_to_be_slow_is_refused_at_once(name: str) -> None:
    began = time.monotonic()
    assert not verdict_of(DECLARATION + SLOW[name].encode() + b"\n").passed
    assert time.monotonic() - began < 2


def test_a_sealed_receipt_with_very_many_parts_is_checked_at_once() -> None:
    part = TEXT[TEXT.index("      <ev:PartInfo>") : TEXT.index("<ev:PartInfo><Identifier>1<") - 6]
    text = TEXT.replace(part, part * 3_000).replace(">2</ComposingParts>", ">3001</ComposingParts>")
    xml = Sealer().sealed(text)
    began = time.monotonic()
    assert verify_receipt(xml, Log().proof(Log().entry(xml)), ca_pem=CA, log_key=LOG_KEY).passed
    assert time.monotonic() - began < 2
