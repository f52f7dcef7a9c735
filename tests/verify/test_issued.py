"""What the office issues passes, and is what the golden receipts are."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from zwrotka_client.verify import verify_consistency, verify_receipt

from services.receipts import checkpoint
from services.receipts.evidence import entry_of
from services.receipts.log import Tree, leaf_hash
from services.receipts.seal import Seal
from tests.verify.forge import CA, ORIGIN, SEAL
from tests.verify.make_golden import ACCEPTANCE, LETTER, RECEIPT, TEXT

SIGNED_AT = ACCEPTANCE.occurred_at.replace(second=1)


def pem_of(key: object) -> bytes:
    """A private key as unencrypted PKCS #8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined, no-any-return]


def tree_of(leaves: list[bytes]) -> Tree:
    """The office's tree over these leaf hashes."""
    return Tree(lambda level, number: None if level else leaves[number])


def test_a_receipt_as_the_office_issues_it_passes() -> None:
    xml = Seal(SEAL.pem, pem_of(SEAL.key)).sealed(TEXT, SIGNED_AT)
    entry = entry_of(ACCEPTANCE, xml, b"salt")
    leaves = [leaf_hash(b"%d" % number) for number in range(300)]
    leaves[271] = leaf_hash(entry)
    tree = tree_of(leaves)
    key = checkpoint.LogKey(ORIGIN, pem_of(Ed25519PrivateKey.generate()))
    note = key.signed(checkpoint.Checkpoint(300, tree.hash(0, 300)))
    proof = checkpoint.proof(entry, 271, tree.inclusion(271, 300), note)
    verdict = verify_receipt(xml, proof, ca_pem=CA.pem, log_key=key.verifier, parts={"letter.eml": LETTER})
    assert verdict.failed == ()
    assert verdict.facts
    assert (verdict.facts.log_index, verdict.facts.log_size) == (271, 300)


def test_the_golden_receipt_is_the_office_s_but_for_the_signature() -> None:
    issued = Seal(SEAL.pem, pem_of(SEAL.key)).sealed(TEXT, SIGNED_AT)
    assert issued.split(b"SignatureValue>")[::2] == RECEIPT.split(b"SignatureValue>")[::2]


def test_the_office_s_consistency_proofs_hold() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(70)]
    tree = tree_of(leaves)
    for size, later in ((1, 2), (3, 70), (64, 65), (64, 70), (69, 70), (70, 70)):
        verify_consistency(size, tree.hash(0, size), later, tree.hash(0, later), tree.consistency(size, later))
