"""Receipts checked from the command line: offline, with the CA and the log's key alone."""

import hashlib
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zwrotka_client import jsons, printing
from zwrotka_client.settings import Settings, UsageError
from zwrotka_client.verify import Facts, Verdict, verify_receipt

_PROOF = ".tlog-proof"
_EVENTS = {
    "SubmissionAcceptance": "the letter was accepted: ",
    "RelayToNonERDS": "the letter left by e-mail, and the relay took it: ",
}


def verify(args: Namespace) -> int:
    """Checks each receipt among the files, with its proof and the letter's parts; 1 if anything does not hold."""
    settings = Settings(args)
    files = [Path(each) for each in args.files]
    receipts = receipts_among(files)
    parts = {str(each): each.read_bytes() for each in files if each not in receipts and each.suffix != _PROOF}
    ca, log_key = settings.ca.read_bytes(), settings.log_key
    verdicts = _verdicts([(each, proof_of(each, files)) for each in receipts], parts, ca, log_key)
    if args.json:
        checked = [{"file": str(each), **as_json(verdict)} for each, verdict in zip(receipts, verdicts, strict=True)]
        jsons.show({"passed": all(each.passed for each in verdicts), "receipts": checked})
    else:
        for place, (each, verdict) in enumerate(zip(receipts, verdicts, strict=True)):
            print("\n" * bool(place), end="")
            print(as_text(each.name, verdict))
    return 0 if all(each.passed for each in verdicts) else 1


def receipts_among(files: Sequence[Path]) -> list[Path]:
    """The evidence files: those named dowod-*.xml, else any .xml whose proof is there. UsageError if none is."""
    found = [each for each in files if each.name.startswith("dowod-") and each.suffix == ".xml"]
    found = found or [each for each in files if each.suffix == ".xml" and proof_of(each, files)]
    if not found:
        raise UsageError("None of the files is a receipt: name a dowod-<id>.xml. Nothing was checked.")
    return found


def proof_of(receipt: Path, files: Sequence[Path]) -> Path | None:
    """The receipt's proof: the one of its name that was given, else the one beside it, else the only one given."""
    beside = receipt.with_suffix(_PROOF)
    given = [each for each in files if each.suffix == _PROOF]
    named = [each for each in given if each.name == beside.name] or ([beside] if beside.is_file() else [])
    return next(iter(named or (given if len(given) == 1 else [])), None)


def as_text(title: str, verdict: Verdict, *, failed_only: bool = False) -> str:
    """The checks, one a line, what the receipt says, and the verdict."""
    checks = verdict.failed if failed_only else verdict.checks
    width = max((len(check.name) for check in checks), default=0)
    lines = [title]
    for check in checks:
        lines.append(
            f"  {'ok  ' if check.passed else 'FAIL'}  {check.name:<{width}}  {printing.one_line(check.detail)}"
        )
    if verdict.facts:
        lines += [*([""] if checks else []), *(f"  {line}" for line in _facts(verdict.facts).splitlines())]
    failed = ", ".join(dict.fromkeys(check.name for check in verdict.failed))
    return "\n".join([*lines, "", "VALID: every check holds." if verdict.passed else f"NOT VALID: {failed} failed."])


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict for programs."""
    return {
        "passed": verdict.passed,
        "checks": [jsons.plain(check) for check in verdict.checks],
        "facts": jsons.plain(verdict.facts) if verdict.facts else None,
    }


def _verdicts(
    receipts: Sequence[tuple[Path, Path | None]], parts: Mapping[str, bytes], ca: bytes, log_key: str
) -> list[Verdict]:
    """A part is held against the receipts that attest it; one that none attests, against all."""
    verdicts = []
    files = [(xml.read_bytes(), proof.read_bytes() if proof else None) for xml, proof in receipts]
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    attested = [
        {part.sha256 for part in facts.parts}
        if (facts := verify_receipt(*each, ca_pem=ca, log_key=log_key).facts)
        else set()
        for each in files
    ]
    for each, own in zip(files, attested, strict=True):
        others = set().union(*attested) - own
        held = {name: content for name, content in parts.items() if digests[name] not in others}
        verdicts.append(verify_receipt(*each, ca_pem=ca, log_key=log_key, parts=held))
    return verdicts


def _facts(facts: Facts) -> str:
    deadline = facts.deadline
    return printing.fields(
        [
            ("Letter", facts.letter),
            ("Event", f"{_EVENTS.get(facts.event, '')}{facts.event}, {printing.time_of(facts.event_at)}"),
            ("Stored", printing.time_of(facts.submitted_at)),
            ("From", f"{facts.sender}, by {printing.channel_of(facts.channel)}"),
            ("For", facts.recipient),
            ("Issued by", facts.issuer),
            ("Answer by", f"{deadline.due_on} ({deadline.rule})" if deadline else ""),
            (
                "In the log",
                f"{facts.log_origin}, entry {facts.log_index} of {facts.log_size}" if facts.log_size else "",
            ),
        ]
    )
