"""Two of every process at once: they share one storage, and nothing is doubled."""

from tests.chaos.sender import deliver_many, delivery, must_all_be_told_once
from tests.house import House
from tests.ports import free_port


def test_two_of_each_door_and_courier_double_nothing(whole: House) -> None:
    person = whole.resident("Lucyna")
    try:
        second_door = whole.start_copy("mail", smtp_port=free_port()).smtp_port
        whole.start_copy("courier")
        sent = [delivery(person, f"Pismo {number}.") for number in range(40)]
        # Every letter at both doors at once, as a sender does that gave up waiting for the first.
        deliver_many(whole, [each for each in sent for _ in range(2)], ports=(0, second_door))
        must_all_be_told_once(whole, person, sent)
    finally:
        whole.stop("mail-2", "courier-2")


def test_two_of_each_service_double_nothing_and_never_fork_the_log(whole: House) -> None:
    person = whole.resident("Mirosława")
    try:
        identity = whole.start_copy("identity", identity_port=free_port())
        receipts = whole.start_copy("receipts", receipts_port=free_port())
        mailbox = whole.start_copy(
            "mailbox",
            mailbox_port=free_port(),
            identity_address=f"127.0.0.1:{identity.identity_port}",
            receipts_address=f"127.0.0.1:{receipts.receipts_port}",
        )
        second_door = whole.start_copy(
            "mail", smtp_port=free_port(), mailbox_address=f"127.0.0.1:{mailbox.mailbox_port}"
        ).smtp_port
        sent = [delivery(person, f"Pismo {number}.") for number in range(60)]
        deliver_many(whole, [each for each in sent for _ in range(2)], ports=(0, second_door))
        must_all_be_told_once(whole, person, sent)
    finally:
        whole.stop("mail-2", "mailbox-2", "receipts-2", "identity-2")
