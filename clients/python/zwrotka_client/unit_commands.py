"""What a unit does with letters, from the command line."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from zwrotka_client import check_command, jsons, printing
from zwrotka_client.errors import Unavailable
from zwrotka_client.letters import Acceptance, Letter, Part, State
from zwrotka_client.message import new_key
from zwrotka_client.saving import part_name, save_parts, save_receipt
from zwrotka_client.settings import Settings, UsageError
from zwrotka_client.unit import Unit
from zwrotka_client.verify import verify_receipt


def send(args: Namespace) -> int:
    """Sends a letter to another unit."""
    text = _text(args)
    with _unit(args) as unit, _repeatable(args) as key:
        accepted = unit.send(args.to_unit, text, subject=args.subject, attachments=args.attach, key=key)
    return _print_acceptance(args, accepted)


def answer(args: Namespace) -> int:
    """Answers a letter."""
    text = _text(args)
    with _unit(args) as unit, _repeatable(args) as key:
        accepted = unit.answer(args.number, text, subject=args.subject, attachments=args.attach, key=key)
    return _print_acceptance(args, accepted)


def inbox(args: Namespace) -> int:
    """Lists what came; with --watch it goes on until interrupted."""
    today = datetime.now(printing.POLAND).date()
    with _unit(args) as unit:
        letters = unit.watch(args.after) if args.watch else unit.inbox(args.after)
        shown = (each for each in letters if not args.waiting or each.state is not State.ANSWERED)
        if args.json:
            _print_letters_json(args, shown)
            return 0
        count = 0
        for count, letter in enumerate(shown, 1):
            if count == 1:
                print(printing.letters_head())
            print(printing.letter_row(letter, today), flush=args.watch)
    if not count:
        print("No letters.")
    return 0


def show(args: Namespace) -> int:
    """Shows a letter with its text; with --save also writes its parts."""
    with _unit(args) as unit:
        whole = unit.letter(args.number)
    saved = save_parts(Path(args.save), whole.parts) if args.save else []
    if args.json:
        parts = [
            {**jsons.plain(each, without="content"), "size_bytes": len(each.content), "file": part_name(each)}
            for each in whole.parts
        ]
        content = {"sender_name": whole.sender_name, "text": whole.text, "parts": parts}
        jsons.show({**jsons.plain(whole.letter), **content, "saved": [str(path) for path in saved]})
        return 0
    print(printing.fields([*_letter_rows(whole.letter, whole.sender_name), *_part_rows(whole.parts)]))
    print(f"\n{printing.plain(whole.text).strip()}")
    for path in saved:
        print(f"Saved {path}", file=sys.stderr)
    return 0


def take(args: Namespace) -> int:
    """Acknowledges a letter."""
    with _unit(args) as unit:
        letter = unit.take(args.number)
    if args.json:
        jsons.show(jsons.plain(letter))
        return 0
    print(f"{letter.number} is {'already answered' if letter.state is State.ANSWERED else 'with this unit'}.")
    if letter.due_on and letter.state is not State.ANSWERED:
        print(f"An answer is due by {letter.due_on} ({printing.one_line(letter.term_rule)}).")
    return 0


def receipt(args: Namespace) -> int:
    """Shows a letter's evidence, each piece checked; with --save also writes it."""
    settings = Settings(args)
    with _unit(args) as unit:
        receipts = unit.receipts(args.number)
    if not receipts:
        raise Unavailable(
            "receipt-follows",
            f"The receipt of {args.number} is not made yet. The letter is kept and the receipt follows by itself. "
            "Please ask again in a moment.",
        )
    ca, log_key = settings.ca.read_bytes(), settings.log_key
    verdicts = [verify_receipt(each.xml, each.tlog_proof, ca_pem=ca, log_key=log_key) for each in receipts]
    saved = [[str(path) for path in save_receipt(Path(args.save), each)] for each in receipts] if args.save else []
    if args.json:
        jsons.show(
            {
                "receipts": [
                    {"evidence_id": each.evidence_id, **check_command.as_json(verdict)}
                    for each, verdict in zip(receipts, verdicts, strict=True)
                ],
                "saved": [path for pair in saved for path in pair],
            }
        )
    else:
        for place, (each, verdict) in enumerate(zip(receipts, verdicts, strict=True)):
            print("\n" * bool(place), end="")
            print(check_command.as_text(f"dowod-{each.evidence_id}.xml", verdict, failed_only=True))
        for pair in saved:
            print("Saved " + " and ".join(pair))
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _unit(args: Namespace) -> Unit:
    settings = Settings(args)
    paths = settings.unit_paths
    try:
        return Unit(
            settings.address("mailbox", "ZWROTKA_UNIT_ADDRESS"),
            certificate=paths.certificate,
            key=paths.key,
            ca=settings.ca,
            patience_s=args.patience,
        )
    except ValueError as error:
        raise UsageError(f"{error} Nothing was sent.") from error


@contextmanager
def _repeatable(args: Namespace) -> Iterator[str]:
    """A key for one sending; where it stays uncertain, the error says how to repeat it."""
    key = args.once or new_key()
    try:
        yield key
    except Unavailable as refusal:
        sentence = f"{refusal.sentence} With --once {key} the same letter cannot be doubled."
        raise Unavailable(refusal.reason, sentence, refusal.fields) from refusal


def _text(args: Namespace) -> str:
    return sys.stdin.read() if args.text == "-" else str(args.text)


def _print_acceptance(args: Namespace, accepted: Acceptance) -> int:
    if args.json:
        jsons.show(jsons.plain(accepted))
        return 0
    addressee = accepted.unit or f"the sender of {args.number}"
    how = "Accepted before, not doubled" if accepted.repeated else "Accepted"
    print(f"{how}: {accepted.number} for {addressee}, {printing.time_of(accepted.accepted_at)}.")
    if accepted.due_on:
        print(f"An answer is due by {accepted.due_on}.")
    if accepted.receipt_follows:
        print("The letter is kept. Its receipt is not made yet and follows by itself.")
    return 0


def _letter_rows(letter: Letter, sender_name: str) -> list[tuple[str, str]]:
    return [
        ("Letter", letter.number),
        ("Subject", letter.subject),
        ("From", f"{sender_name} ({letter.sender_unit})" if letter.sender_unit else sender_name),
        ("Came", f"{printing.time_of(letter.accepted_at)}, by {printing.channel_of(letter.channel)}"),
        ("For", letter.unit),
        ("State", letter.state),
        ("Answer by", f"{letter.due_on} ({letter.term_rule})" if letter.due_on else ""),
        ("Answers", letter.answers),
        ("Answered", f"by {letter.answered_by}" if letter.answered_by else ""),
    ]


def _part_rows(parts: Sequence[Part]) -> Iterator[tuple[str, str]]:
    for place, each in enumerate(parts):
        note = "  (a token was taken out)" if each.redacted else ""
        size = printing.size_of(each.content)
        yield "" if place else "Parts", f"{each.identifier:<4}{size:>9}  {each.content_type}  {each.filename}{note}"


def _print_letters_json(args: Namespace, letters: Iterator[Letter]) -> None:
    if args.watch:
        for each in letters:
            print(jsons.line(jsons.plain(each)), flush=True)
        return
    listed = list(letters)
    jsons.show(
        {
            "letters": [jsons.plain(each) for each in listed],
            "next_after": max([args.after, *(each.cursor for each in listed)]),
        }
    )
