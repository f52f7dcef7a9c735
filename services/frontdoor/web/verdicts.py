"""What was found out about uploaded receipts and the files beside them, put so that a page can say it."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from zwrotka_client.verify import Check, Facts, verify_receipt

from services.chassis.city import City, Unit
from services.frontdoor.web.uploads import Sorted

# Every check there is, in the order in which they are made; after one that fails the rest is not made.
CHECKS = (
    "well-formed-and-plain",
    "shape",
    "signature-structure",
    "one-certificate",
    "spelling",
    "seal-certificate",
    "digests",
    "signature",
    "signing-time",
    "log-proof",
    "checkpoint-signature",
    "log-origin",
    "log-entry",
    "inclusion",
)


@dataclass(frozen=True)
class Receipt:
    """One receipt, judged. `facts` is what a holding seal stands behind, `unit` the city's unit it names, if any."""

    name: str
    state: Literal["good", "incomplete", "bad"]  # incomplete: the seal holds, but the log's proof was not given
    checks: dict[str, Check]
    facts: Facts | None
    unit: Unit | None

    @property
    def event(self) -> str:
        """What happened, for a person: the evidence's event, told apart by who was written to."""
        if self.facts is None:
            return ""
        to_resident = self.facts.recipient.startswith("urn:uuid:")
        return f"{self.facts.event}-to-resident" if to_resident else self.facts.event

    @property
    def failed(self) -> Check | None:
        """The check that did not hold."""
        return next((check for check in self.checks.values() if not check.passed), None)


@dataclass(frozen=True)
class Compared:
    """A file given with the receipts; `part` is its place in the letter, "" when no holding seal lists its digest."""

    name: str
    sha256: str
    part: str


@dataclass(frozen=True)
class Verdict:
    """All that was given, judged."""

    receipts: list[Receipt]
    files: list[Compared]

    @property
    def accepted(self) -> int:
        """How many receipts passed every check."""
        return sum(receipt.state == "good" for receipt in self.receipts)


def judge(given: Sorted, authority_pem: bytes, log_key: str, city: City) -> Verdict:
    """Checks every receipt, and looks for every other file among the parts that a holding seal lists."""
    receipts = []
    listed: dict[str, str] = {}
    for each in given.receipts:
        verdict = verify_receipt(each.xml, each.proof, ca_pem=authority_pem, log_key=log_key)
        facts = verdict.facts
        if facts is not None:
            listed.update((part.sha256, part.identifier) for part in facts.parts)
        # Without the proof a stolen seal's forgery would look the same: never "good".
        sealed_only = facts is not None and each.proof is None
        receipts.append(
            Receipt(
                name=each.name,
                state="good" if verdict.passed else "incomplete" if sealed_only else "bad",
                checks={check.name: check for check in verdict.checks},
                facts=facts,
                unit=_unit(city, facts) if facts else None,
            )
        )
    digests = [(file.name, hashlib.sha256(file.content).hexdigest()) for file in given.parts]
    return Verdict(receipts, [Compared(name, sha256, listed.get(sha256, "")) for name, sha256 in digests])


def _unit(city: City, facts: Facts) -> Unit | None:
    """The unit a letter went to, or came from if it went to a resident."""
    units = {city.spiffe_of_unit(code): unit for code, unit in city.units.items()}
    return units.get(facts.recipient) or units.get(facts.sender)
