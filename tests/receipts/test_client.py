"""What receipts issues, the client's verifier accepts: two programs that share no code."""

from dataclasses import replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from zwrotka_client.verify import verify_receipt

from services.receipts.checkpoint import Checkpoint, LogKey, proof
from services.receipts.evidence import Deadline, Event, Part, Party, entry_of, evidence_of, must_be_attestable
from services.receipts.log import Tree, leaf_hash
from services.receipts.seal import Seal
from tests.receipts import people

AUTHORITY = people.Authority()
CERTIFIED = AUTHORITY.seal()
SEAL = Seal(CERTIFIED.certificate, CERTIFIED.key)
KEY = LogKey(people.ORIGIN, people.pem_of(Ed25519PrivateKey.generate()))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SOME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
DAYS = st.dates().map(str)
EVENTS = st.builds(
    replace,
    st.builds(people.event, st.integers(min_value=0, max_value=2**128 - 1)),
    occurred_at=st.builds(lambda: datetime.now(UTC)),
    kind=st.sampled_from(["SubmissionAcceptance", "RelayToNonERDS"]),
    message_id=SOME,
    sender=st.builds(Party, SOME, st.just("profile")),
    recipient=st.builds(Party, SOME, st.just("unit"), TEXT),
    parts=st.lists(st.builds(Part, SOME, TEXT, st.binary(min_size=32, max_size=32)), min_size=1, max_size=4).map(tuple),
    channel=SOME,
    facts=st.lists(st.tuples(SOME, TEXT), max_size=4).map(tuple),
    deadline=st.one_of(
        st.none(), st.builds(lambda rule, days: Deadline(rule, *sorted(days)), SOME, st.tuples(DAYS, DAYS))
    ),
    unit=st.sampled_from(["", "SO", "SP1"]),
)


@settings(deadline=None, max_examples=100)
@given(EVENTS, st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_every_receipt_passes_every_check_of_the_client(event: Event, before: list[bytes], after: list[bytes]) -> None:
    must_be_attestable(event)
    xml = SEAL.sealed(evidence_of(event, people.ISSUER), datetime.now(UTC))
    entry = entry_of(event, xml, b"s" * 16)
    hashes = [leaf_hash(each) for each in (*before, entry, *after)]
    tree = Tree(lambda level, number: None if level else hashes[number])
    note = KEY.signed(Checkpoint(len(hashes), tree.hash(0, len(hashes))))
    proved = proof(entry, len(before), tree.inclusion(len(before), len(hashes)), note)
    verdict = verify_receipt(xml, proved, ca_pem=AUTHORITY.pem, log_key=KEY.verifier)
    assert verdict.passed, verdict.failed
    assert verdict.facts is not None
    assert verdict.facts.log_index == len(before)
