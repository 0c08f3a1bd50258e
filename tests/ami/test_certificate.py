"""When the server's certificate ends: read from DER, against what another library reads."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.ami.certificate import not_after
from tests.support.certificates import Authority

AUTHORITY = Authority()


def der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)


@pytest.mark.parametrize(
    "ends_in",
    [
        timedelta(hours=1),
        timedelta(days=60),
        timedelta(days=365 * 40),  # from 2050 on the year has four digits
    ],
)
def test_the_end_is_the_one_in_the_certificate(ends_in: timedelta) -> None:
    pem = AUTHORITY.issue("pbx.example.net", ends_in=ends_in).cert
    wanted = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    assert not_after(der(pem)) == wanted.timestamp()
    assert abs(wanted - (datetime.now(UTC) + ends_in)) < timedelta(minutes=5)


def test_an_authoritys_own_certificate_has_one_too() -> None:
    wanted = x509.load_pem_x509_certificate(AUTHORITY.pem.encode()).not_valid_after_utc.timestamp()
    assert not_after(der(AUTHORITY.pem)) == wanted


def test_no_certificate_has_no_end() -> None:
    assert not_after(None) is None
    assert not_after(b"") is None


GENUINE = der(AUTHORITY.issue("pbx.example.net").cert)


@given(st.integers(0, len(GENUINE) - 1), st.integers(0, 255), st.integers(0, len(GENUINE)))
def test_a_damaged_certificate_is_no_fault(at: int, byte: int, length: int) -> None:
    damaged = (GENUINE[:at] + bytes([byte]) + GENUINE[at + 1 :])[:length]
    assert not_after(damaged) is None or isinstance(not_after(damaged), float)


@given(st.binary(max_size=200))
def test_garbage_is_no_fault(data: bytes) -> None:
    assert not_after(data) is None or isinstance(not_after(data), float)
