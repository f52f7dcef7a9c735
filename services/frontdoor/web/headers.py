"""The headers every answer carries, whoever makes it: pages, tiles, refusals, the HTTP server itself."""

from typing import Final

# Pages bring one stylesheet and one icon from here and nothing from anywhere else; no script runs at all.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

FRESH: Final = "no-cache"  # may be kept, must be asked for again before use
PRIVATE: Final = "no-store"  # a verdict names a letter: kept nowhere on the way
FOREVER: Final = "public, max-age=31536000, immutable"  # a tile of a given width never changes (c2sp.org/tlog-tiles)
