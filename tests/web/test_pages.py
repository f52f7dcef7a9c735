"""What people read, the headers on every answer, and what the door says when something is wrong."""

import json
import re
import socket
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from services.frontdoor.web.headers import SECURITY
from tests.web.door import Answer, Door

PAGES = ("/", "/sprawdz", "/log/", "/en/", "/en/sprawdz", "/en/log/")


class Page(HTMLParser):
    """A page's elements, in order: (name, attributes)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of each element of that name."""
        return [attributes for tag, attributes in self.elements if tag == name]


def _raw(door: Door, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", door.settings.web_port), 10) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_no_script_and_nothing_from_elsewhere(door: Door, path: str) -> None:
    answer = door.ask(path)
    page = Page(answer)
    assert answer.status == 200
    assert not page.all("script")
    assert not page.all("iframe")
    assert "Set-Cookie" not in answer.headers
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for address in (attributes.get("href"), attributes.get("src"), attributes.get("action")):
            assert address is None or not urlsplit(address).netloc


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everyone(door: Door, path: str) -> None:
    page = Page(door.ask(path))
    [html] = page.all("html")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    labels = {attributes.get("for") for attributes in page.all("label")}
    assert html["lang"] == ("en" if path.startswith("/en/") else "pl")
    assert next(a for tag, a in page.elements if tag == "a")["href"] == "#main"
    assert "main" in ids
    assert len(ids) == len(set(ids))
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert all(image.get("alt") is not None for image in page.all("img"))
    assert all(field["id"] in labels for field in page.all("input"))
    assert page.all("meta")[1]["content"] == "width=device-width, initial-scale=1"


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(door: Door, path: str) -> None:
    page = Page(door.ask(path))
    ids = {attributes.get("id") for _, attributes in page.elements}
    for link in page.all("a") + page.all("link"):
        address = link["href"] or ""
        if address.startswith("#"):
            assert address[1:] in ids
        else:
            assert door.ask(address).status == 200, address


def test_the_home_page_says_where_to_write_and_how_long_an_answer_takes(door: Door) -> None:
    for path in ("/", "/en/"):
        words = re.sub("<[^>]+>", "", door.ask(path).text)
        for unit in door.city.units.values():
            assert f"{unit.mailbox}+TOKEN@{door.city.domain}" in words
        assert door.city.office in words
        assert door.city.matters["general_letter"]["term"]["rule"] in words


def test_each_page_has_its_other_language(door: Door) -> None:
    for path in ("/", "/sprawdz", "/log/"):
        assert f'href="/en{path}"' in door.ask(path).text
        assert f'href="{path}"' in door.ask(f"/en{path}").text


def test_the_log_page_shows_key_and_checkpoint(door: Door) -> None:
    key, checkpoint = door.ask("/log/log.vkey").text.strip(), door.ask("/log/checkpoint").text
    words = door.ask("/log/").text.replace("&#43;", "+")
    assert key == (door.settings.home_path / "keys/log.vkey").read_text().strip()
    assert key in words
    assert checkpoint.splitlines()[2] in words
    assert door.ask("/log/ca.pem").body == (door.settings.home_path / "certificates/ca.pem").read_bytes()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/style.css", 200),
        ("GET", "/static/icon.svg", 200),
        ("GET", "/static/../room.py", 404),
        ("GET", "/robots.txt", 200),
        ("GET", "/zdrowie", 200),
        ("GET", "/log", 200),
        ("GET", "/log/checkpoint", 200),
        ("GET", "/log/tile/0/000", 200),
        ("GET", "/log/tile/0/0", 404),
        ("GET", "/nie-ma", 404),
        ("HEAD", "/", 200),
        ("OPTIONS", "/", 200),
        ("POST", "/", 405),
        ("DELETE", "/sprawdz", 405),
        ("POST", "/sprawdz", 400),
        ("POST", "/log/checkpoint", 405),
    ],
)
def test_every_answer_carries_the_security_headers(door: Door, method: str, path: str, status: int) -> None:
    answer = door.ask(path, method)
    assert answer.status == status
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbroken header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"POST /sprawdz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /sprawdz HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /sprawdz HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /sprawdz HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ],
)
def test_what_is_no_request_gets_the_same_headers_and_a_page(door: Door, request_: bytes, status: int) -> None:
    head, _, body = _raw(door, request_).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].split(" ")[1] == str(status)
    assert {f"{name}: {value}" for name, value in SECURITY.items()} <= set(lines)
    assert b"Niczego nie zachowali" in body
    assert b"Nothing was kept" in body


@pytest.mark.parametrize("path", ["/nie-ma", "/log/tile/0/x", "/en/nothing"])
def test_a_trouble_is_told_in_both_languages_with_a_way_on(door: Door, path: str) -> None:
    answer = door.ask(path)
    assert "Nie ma takiej strony" in answer.text
    assert "There is no such page" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"/", "/en/"} <= {link["href"] for link in Page(answer).all("a")}


def test_405_names_what_is_allowed(door: Door) -> None:
    assert set(door.ask("/sprawdz", "PUT").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_away_from_receipts_the_door_says_so_and_goes_on_explaining(door: Door) -> None:
    door.stop("receipts")
    try:
        health = door.ask("/zdrowie")
        assert (health.status, json.loads(health.body)) == (503, {"web": "ok", "receipts": "away"})
        for path in ("/log/checkpoint", "/log/tile/0/000"):
            answer = door.ask(path)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
            assert answer.headers["Cache-Control"] == "no-store"
            assert "chwilowo nie odpowiada" in answer.text
        assert "w tej chwili nie odpowiada" in door.ask("/log/").text
        assert door.ask("/").status == 200
        assert "Zwrotka jest prawdziwa" in door.upload(door.receipts[0].files).text
    finally:
        door.start("receipts")
    assert json.loads(door.ask("/zdrowie").body) == {"web": "ok", "receipts": "ok"}


def test_robots_are_kept_from_the_tiles(door: Door) -> None:
    assert "Disallow: /log/tile/" in door.ask("/robots.txt").text


def test_the_door_closes_within_five_seconds_though_someone_holds_a_connection(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.settings.web_port), 10) as idle:
        idle.sendall(b"POST /sprawdz HTTP/1.1\r\nContent-Length: 1000\r\n\r\nhalf")
        try:
            assert door.stop("web") < 5
        finally:
            door.start("web")


def test_a_port_in_use_is_named_with_the_remedy(door: Door) -> None:
    second = door.run("web")
    assert second.returncode == 1
    assert f"port {door.settings.web_port} is in use" in second.stderr
    assert "Traceback" not in second.stderr
