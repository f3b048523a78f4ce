"""The two ways to Redis speak of the same one."""

from __future__ import annotations

import ssl

import pytest

from shared.broker import connect, make_app


@pytest.mark.parametrize(
    ("options", "means"),
    [
        ("", ssl.CERT_REQUIRED),
        ("?ssl_ca_certs=/ca.pem", ssl.CERT_REQUIRED),
        ("?ssl_cert_reqs=none", ssl.CERT_NONE),
        ("?ssl_ca_certs=/ca.pem&ssl_cert_reqs=optional", ssl.CERT_OPTIONAL),
    ],
)
def test_celery_checks_a_certificate_as_our_client_does(options: str, means: ssl.VerifyMode) -> None:
    """Celery takes no URL that does not say it, where our client has a default."""
    url = f"rediss://:word@localhost:1/0{options}"
    ours = connect(url).connection_pool.connection_kwargs.get("ssl_cert_reqs", "required")
    assert make_app(url).backend.connparams["ssl_cert_reqs"] == means
    assert {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}[ours] == means
