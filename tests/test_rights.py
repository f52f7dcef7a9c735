"""Every method of every service: who may call it, and that all others are refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from zwrotka.identity.v1 import identity_pb2
from zwrotka.mailbox.v1 import mailbox_pb2
from zwrotka.receipts.v1 import receipts_pb2

from services.chassis import rpc
from services.chassis.errors import Forbidden, Refusal
from services.identity.servicer import RIGHTS as IDENTITY
from services.mailbox.servicer import RIGHTS as MAILBOX
from services.receipts.servicer import RIGHTS as RECEIPTS
from tests.house import House

ROLES = {
    "identity": "identity",
    "mailbox": "mailbox",
    "receipts": "receipts",
    "frontdoor": "frontdoor",
    "unit": "units/KD",
}
SERVICES = {
    "identity": (IDENTITY, identity_pb2.DESCRIPTOR.services_by_name["IdentityService"]),
    "mailbox": (MAILBOX, mailbox_pb2.DESCRIPTOR.services_by_name["MailboxService"]),
    "receipts": (RECEIPTS, receipts_pb2.DESCRIPTOR.services_by_name["ReceiptsService"]),
}


def combinations() -> Iterator[Any]:
    for service, (_, descriptor) in SERVICES.items():
        for method in descriptor.methods:
            for role in ROLES:
                yield pytest.param(service, method, role, id=f"{method.name}-by-{role}")


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_has_its_line_in_the_table(service: str) -> None:
    rights, descriptor = SERVICES[service]
    assert set(rights) == {method.name for method in descriptor.methods}
    assert set().union(*rights.values()) <= set(ROLES)


@pytest.mark.parametrize(("service", "method", "role"), list(combinations()))
def test_who_has_no_right_is_refused_and_who_has_one_is_not(house: House, service: str, method: Any, role: str) -> None:
    stub = getattr(house, service)(ROLES[role])
    request = GetMessageClass(method.input_type)()
    refusal: Refusal | None = None
    try:
        if method.server_streaming:
            next(getattr(stub, method.name)(request, timeout=2), None)
        else:
            rpc.call(getattr(stub, method.name), request, timeout_s=10)
    except Refusal as caught:
        refusal = caught
    except Exception as error:
        refusal = rpc.refusal_from(error)  # type: ignore[arg-type]
    refused = isinstance(refusal, Forbidden) and refusal.reason == "not-for-this-caller"
    assert refused == (role not in SERVICES[service][0][method.name])
