import json
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import pytest
from zwrotka_client import Unit
from zwrotka_client.arguments import parser

from tests.client.conftest import Zwrotka
from tests.house import House, until
from tests.receipts.people import Authority


def commands(top: ArgumentParser) -> Iterator[ArgumentParser]:
    """Every command that can be run, with those below others."""
    for action in top._actions:
        if isinstance(action.choices, dict):
            for each in action.choices.values():
                yield from commands(each)
    if top.get_default("run"):
        yield top


@pytest.mark.parametrize("command", list(commands(parser())), ids=lambda command: command.prog)
def test_every_command_shows_an_example_that_it_understands(command: ArgumentParser) -> None:
    example = (command.epilog or "").partition("example:\n")[2].strip()
    assert example.startswith(command.prog)
    words = shlex.split(example)[1:]
    assert parser().parse_args(words).run is command.get_default("run")


def test_a_letter_from_sending_to_its_verified_receipt(at_house: Zwrotka, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("plan")
    sent = at_house("send", "KD", "Prosimy o opinię.", "--attach", str(tmp_path / "plan.txt"), "--unit", "SO")
    assert sent.code == 0
    assert sent.out.startswith("Accepted: ZW-")
    number = sent.out.split()[1]
    assert number in at_house("inbox", "--unit", "KD").out
    shown = at_house("show", number, "--unit", "KD", "--save", str(tmp_path / "letter"))
    assert "Prosimy o opinię." in shown.out
    assert (tmp_path / "letter" / "2-plan.txt").read_text() == "plan"
    assert at_house("take", number, "--unit", "KD").out == f"{number} is with this unit.\n"
    saved = at_house("receipt", number, "--unit", "KD", "--save", str(tmp_path))
    assert "VALID: every check holds." in saved.out
    (receipt,) = tmp_path.glob("dowod-*.xml")
    verified = at_house("verify", str(receipt), str(tmp_path / "letter" / "2-plan.txt"))
    assert verified.code == 0
    assert "FAIL" not in verified.out
    assert "part-attested" in verified.out


def test_a_text_may_come_from_standard_input(at_house: Zwrotka, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with (house.home / "stdin").open("w+") as file:
        file.write("Z pliku\nżółć\n")
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", file)
        sent = at_house("send", "KD", "-", "--json")
    number = json.loads(sent.out)["number"]
    assert json.loads(at_house("show", number, "--unit", "KD", "--json").out)["text"] == "Z pliku\nżółć"


def test_json_has_the_same_names_everywhere(at_house: Zwrotka, tmp_path: Path) -> None:
    sent = json.loads(at_house("send", "KD", "Halo", "--once", f"raz-{tmp_path}", "--json").out)
    assert sorted(sent) == ["accepted_at", "due_on", "key", "number", "receipt_follows", "repeated", "unit"]
    page = json.loads(at_house("inbox", "--unit", "KD", "--json").out)
    (letter,) = (each for each in page["letters"] if each["number"] == sent["number"])
    assert page["next_after"] == page["letters"][-1]["cursor"]
    assert at_house("inbox", "--unit", "KD", "--json", "--after", str(page["next_after"])).out.count("ZW-") == 0
    shown = json.loads(at_house("show", sent["number"], "--unit", "KD", "--json", "--save", str(tmp_path)).out)
    assert {name: shown[name] for name in letter} == letter
    assert [Path(path).name for path in shown["saved"]] == [part["file"] for part in shown["parts"]]
    assert json.loads(at_house("take", sent["number"], "--unit", "KD", "--json").out)["state"] == "taken"
    receipt = json.loads(at_house("receipt", sent["number"], "--json", "--save", str(tmp_path)).out)
    assert receipt["receipts"][0]["passed"]
    verified = json.loads(at_house("verify", receipt["saved"][0], "--json").out)
    assert verified["passed"]
    assert verified["receipts"][0]["facts"]["letter"] == sent["number"]


def test_watching_prints_a_line_of_json_for_each_letter(house: House, so: Unit) -> None:
    command = [sys.executable, "-m", "zwrotka_client", "inbox", "--watch", "--json", "--unit", "KD"]
    environment = house.environment
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watching:
        assert watching.stdout
        sent = so.send("KD", "Na bieżąco")
        numbers = (json.loads(line)["number"] for line in watching.stdout)
        assert sent.number in numbers
        watching.terminate()


def test_a_program_that_stops_reading_is_no_error(house: House, so: Unit) -> None:
    so.send("KD", "Halo")
    command = f"{sys.executable} -m zwrotka_client inbox --unit KD | head -c 1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], env=house.environment, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("N0\n", "")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("show ZW-2222-2222-2222", 1, "This unit neither holds nor sent a letter of that number."),
        ("take ZW-2222-2222-2223", 1, "check characters do not fit"),
        ("send XX Halo", 1, "The city has no such unit. Nothing was kept."),
        ("inbox --unit XX", 2, "There is no unit XX in this house; there are SO, KD, SP1. Nothing was sent."),
        ("send KD Halo --attach /nowhere/plan.pdf", 2, "/nowhere/plan.pdf cannot be used: No such file or directory."),
        ("verify /nowhere/dowod-1.xml", 2, "/nowhere/dowod-1.xml cannot be used"),
        ("verify letter.eml", 2, "None of the files is a receipt"),
        ("desk token 1 --login urzednik", 2, "There is no terminal to ask for the password. Nothing was sent."),
        ("desk token 1", 2, "Say which officer you are: --login NAME."),
        ("inbox --address 127.0.0.1:9 --patience 0.2", 3, "No service answers at 127.0.0.1:9 for the moment."),
        ("send KD Halo --address 127.0.0.1:9 --patience 0.2", 3, "the same letter cannot be doubled."),
    ],
)
def test_every_failure_has_its_exit_code_and_says_so(at_house: Zwrotka, words: str, code: int, sentence: str) -> None:
    ended = at_house(*words.split())
    assert ended.code == code
    assert ended.err.startswith("zwrotka: ")
    assert sentence in ended.err
    assert ended.out == ""
    error = json.loads(at_house(*words.split(), "--json").out)["error"]
    assert list(error) == ["kind", "reason", "sentence", "fields"]


def test_wrong_words_are_wrong_usage(zwrotka: Zwrotka) -> None:
    for words in ((), ("sned", "KD"), ("send", "KD"), ("inbox", "--after", "x")):
        ended = zwrotka(*words)
        assert ended.code == 2
        assert ended.err.startswith("usage: zwrotka")


def test_without_a_house_it_says_how_to_get_one(zwrotka: Zwrotka, tmp_path: Path) -> None:
    ended = zwrotka("inbox", "--home", str(tmp_path))
    assert ended.code == 2
    assert "Start it (make run), name its home (--home), or name --address and --certificate." in ended.err


def test_a_key_used_for_another_letter_is_refused(at_house: Zwrotka, tmp_path: Path) -> None:
    once = ("--once", str(tmp_path))
    assert at_house("send", "KD", "Pierwsze", *once).code == 0
    assert at_house("send", "KD", "Pierwsze", *once).out.startswith("Accepted before, not doubled: ZW-")
    assert at_house("send", "KD", "Drugie", *once).code == 1


def test_a_city_that_cannot_prove_itself_gets_nothing(at_house: Zwrotka, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Authority().pem)
    ended = at_house("send", "KD", "Halo", "--ca", str(tmp_path / "ca.pem"))
    assert ended.code == 1
    assert "could not prove to be the city's service" in ended.err


def test_a_certificate_of_another_city_is_named_as_the_likely_cause(
    at_house: Zwrotka, house: House, tmp_path: Path
) -> None:
    other = Authority().caller("unit/SO")
    (tmp_path / "SO.pem").write_bytes(other.certificate)
    (tmp_path / "SO.key").write_bytes(other.key)
    ca = str(house.home / "certificates" / "ca.pem")
    ended = at_house("inbox", "--certificate", str(tmp_path / "SO.pem"), "--ca", ca, "--patience", "0.2")
    assert ended.code == 3
    assert "check that the city issued your certificate" in ended.err


def test_a_receipt_still_to_be_made_is_asked_for_again_later(at_house: Zwrotka, house: House, so: Unit) -> None:
    house.stop("receipts")
    try:
        sent = at_house("send", "KD", "Bez dowodu na razie")
        assert "The letter is kept. Its receipt is not made yet and follows by itself." in sent.out
        waiting = at_house("receipt", sent.out.split()[1])
        assert waiting.code == 3
        assert "the receipt follows by itself" in waiting.err
    finally:
        house.start("receipts")
    until(lambda: so.receipts(sent.out.split()[1]))


def test_a_changed_receipt_fails_and_says_where(at_house: Zwrotka, so: Unit, tmp_path: Path) -> None:
    (receipt,) = so.receipts(so.send("KD", "Halo").number)
    path = tmp_path / "dowod-1.xml"
    path.write_bytes(receipt.xml.replace(b"SO", b"KD", 1))
    (tmp_path / "dowod-1.tlog-proof").write_bytes(receipt.tlog_proof)
    ended = at_house("verify", str(path))
    assert ended.code == 1
    assert "NOT VALID: digests failed." in ended.out


def test_a_receipt_is_verified_with_the_ca_and_the_log_key_alone(
    zwrotka: Zwrotka, house: House, so: Unit, tmp_path: Path
) -> None:
    (receipt,) = so.receipts(so.send("KD", "Halo").number)
    (tmp_path / "dowod-1.xml").write_bytes(receipt.xml)
    alone = ("verify", str(tmp_path / "dowod-1.xml"), "--home", str(tmp_path), "--ca", house.ready["ca"])
    assert "Name the verifier key of the city's log with --log-key" in zwrotka(*alone).err
    without_proof = zwrotka(*alone, "--log-key", house.ready["log_key"])
    assert without_proof.code == 1
    assert "log-proof failed" in without_proof.out
    (tmp_path / "dowod-1.tlog-proof").write_bytes(receipt.tlog_proof)
    assert zwrotka(*alone, "--log-key", str(house.home / "keys" / "log.vkey")).code == 0


def test_each_part_is_held_against_the_receipt_of_its_letter(at_house: Zwrotka, so: Unit, tmp_path: Path) -> None:
    parts = []
    for text in ("Pierwsze", "Drugie"):
        number = so.send("KD", text).number
        at_house("receipt", number, "--save", str(tmp_path))
        at_house("show", number, "--save", str(tmp_path / text))
        parts.append(tmp_path / text / "1.txt")
    files = [str(path) for path in (*tmp_path.glob("dowod-*.xml"), *parts)]
    verified = at_house("verify", *files)
    assert (verified.code, verified.out.count("part-attested")) == (0, 2)
    parts[1].write_text("Trzecie")
    assert at_house("verify", *files).code == 1
