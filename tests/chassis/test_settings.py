"""A setting that cannot be used stops the start with its name."""

from pathlib import Path

import pytest

from services.chassis import settings


def test_settings_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("12345:secret\n", encoding="utf-8")
    environ = {"ZWROTKA_SMTP_PORT": "2525", "ZWROTKA_TELEGRAM_TOKEN_FILE": str(tmp_path / "token"), "HOME": "/x"}
    loaded = settings.load(environ)
    assert (loaded.smtp_port, loaded.telegram_token, loaded.home) == (2525, "12345:secret", "var")


@pytest.mark.parametrize(
    "environ",
    [
        {"ZWROTKA_SMTP_PROT": "2525"},
        {"ZWROTKA_SMTP_PORT": "twenty"},
        {"ZWROTKA_SMTP_PORT": ""},
        {"ZWROTKA_RELAY_FILE": "/nowhere/relay"},
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(settings.SettingsError, match=next(iter(environ))):
        settings.load(environ)


def test_a_secret_is_never_shown() -> None:
    shown = settings.Settings(relay="smtp://user:password@relay.example").shown()
    assert "password" not in str([value for _, value, _ in shown])
    assert ("ZWROTKA_SMTP_PORT", "8025") in [(variable, value) for variable, value, _ in settings.Settings().shown()]
