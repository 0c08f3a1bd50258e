"""Files and variables that a configuration points to, and the flags --ami.* instead of a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ami_exporter.config.amiflags import AmiFlags, settings_from_ami_flags
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load, load_file
from ami_exporter.config.secret import Secret
from ami_exporter.config.source import load_settings
from ami_exporter.config.target_settings import AmiTlsSettings, TargetSettings

HEAD = "targets: {pbx1: {address: pbx1, username: exporter, "


def reading(files: dict[str, bytes]) -> Callable[[Path, int], bytes]:
    def read(path: Path, bound: int) -> bytes:
        if str(path) not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[str(path)][:bound]

    return read


def refusing(_path: Path, _bound: int) -> bytes:
    raise PermissionError(13, "Permission denied")


def faults(run: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        run()
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("content", [b"s3cret", b"s3cret\n", b"s3cret\r\n", b"\xef\xbb\xbfs3cret\n"])
def test_a_secret_file_may_end_with_one_line_end(content: bytes) -> None:
    catalogue = Catalogue(read_file=reading({"/etc/x/secret": content}))
    settings = load("/etc/x/c.yml", HEAD + "secret_file: secret}}", catalogue)
    assert settings.targets["pbx1"].secret == Secret("s3cret")


def test_spaces_belong_to_the_secret() -> None:
    catalogue = Catalogue(read_file=reading({"/run/secret": b" s3 cret \n"}))
    settings = load("/etc/x/c.yml", HEAD + "secret_file: /run/secret}}", catalogue)
    assert settings.targets["pbx1"].secret == Secret(" s3 cret ")


def test_a_file_that_may_not_be_read_is_a_fault_with_its_place() -> None:
    assert faults(lambda: load("c.yml", HEAD + "secret_file: secret}}", Catalogue(read_file=refusing))) == [
        (
            "c.yml:1:66: targets.pbx1.secret_file: the file named here cannot be read: permission denied; "
            "a relative path starts at the configuration's folder"
        )
    ]


def test_the_configuration_file_itself_may_be_missing_or_not_text() -> None:
    assert faults(lambda: load_file("c.yml", Catalogue(read_file=refusing))) == [
        "c.yml: cannot be read: permission denied"
    ]
    latin = Catalogue(read_file=reading({"c.yml": b"a: 1\nb: \xe4\n"}))
    assert faults(lambda: load_file("c.yml", latin)) == [
        "c.yml:2:1: found bytes that are not UTF-8, expected UTF-8 text"
    ]
    utf_16 = Catalogue(read_file=reading({"c.yml": "targets:\n".encode("utf-16")}))
    assert faults(lambda: load_file("c.yml", utf_16)) == ["c.yml:1:1: found UTF-16, expected UTF-8 text"]


def test_a_configuration_file_without_end_is_refused() -> None:
    endless = Catalogue(read_file=lambda _path, bound: b"#" * bound)
    assert faults(lambda: load_file("c.yml", endless)) == [
        "c.yml: found more than 4194304 bytes, expected a smaller file"
    ]


def test_the_flags_make_one_target_named_default() -> None:
    flags = AmiFlags("pbx.example.net", "exporter", Secret("s3cret"))
    assert load_settings(None, flags, Catalogue()).targets == {
        "default": TargetSettings("default", "pbx.example.net", "exporter", Secret("s3cret"), port=5038, md5=True)
    }


def test_the_flags_with_tls_and_a_secret_file() -> None:
    pem = b"-----BEGIN CERTIFICATE-----"
    here = Path.cwd()
    catalogue = Catalogue(read_file=reading({f"{here}/secret": b"s3cret\n", f"{here}/ca.pem": pem}))
    flags = AmiFlags("[::1]", "exporter", None, "secret", tls=False, tls_ca_file="ca.pem")
    assert settings_from_ami_flags(flags, catalogue).targets["default"] == TargetSettings(
        "default", "::1", "exporter", Secret("s3cret"), port=5039, md5=False, tls=AmiTlsSettings("ca.pem")
    )


def test_every_fault_of_the_flags_is_told_at_once_with_the_flag() -> None:
    flags = AmiFlags("pbx:0", None, Secret("two\nlines"), None, tls=True, tls_ca_file="ca.pem")
    assert faults(lambda: settings_from_ami_flags(flags, Catalogue(read_file=refusing))) == [
        "--ami.address: found text, expected a port from 1 to 65535",
        "--ami.tls-ca-file: the file named here cannot be read: permission denied",
        "--ami.username: not given, expected it beside --ami.address",
        (
            "AMI_EXPORTER_AMI_SECRET: found a line break or NUL, expected one line of text: "
            "AMI would read a second header"
        ),
    ]


def test_flags_without_any_secret() -> None:
    assert faults(lambda: settings_from_ami_flags(AmiFlags("pbx", "exporter"), Catalogue())) == [
        "--ami.secret-file or AMI_EXPORTER_AMI_SECRET: not given, expected it beside --ami.address"
    ]


def test_faults_name_the_variable_where_one_was_used() -> None:
    given = {
        "address": "AMI_EXPORTER_AMI_ADDRESS",
        "secret_file": "AMI_EXPORTER_AMI_SECRET_FILE",
        "tls": "AMI_EXPORTER_AMI_TLS_CA_FILE",
    }
    flags = AmiFlags("pbx:0", None, None, "secret", tls_ca_file="ca.pem", sources=given)
    expected = [
        "AMI_EXPORTER_AMI_ADDRESS: found text, expected a port from 1 to 65535",
        "AMI_EXPORTER_AMI_SECRET_FILE: the file named here cannot be read: permission denied",
        "AMI_EXPORTER_AMI_TLS_CA_FILE: the file named here cannot be read: permission denied",
        "AMI_EXPORTER_AMI_USERNAME: not given, expected it beside AMI_EXPORTER_AMI_ADDRESS",
    ]
    assert faults(lambda: settings_from_ami_flags(flags, Catalogue(read_file=refusing))) == expected


def test_a_file_that_cannot_be_read() -> None:
    catalogue = Catalogue(read_file=refusing)
    assert faults(lambda: load_settings("c.yml", AmiFlags(), catalogue)) == ["c.yml: cannot be read: permission denied"]


def test_neither_file_nor_flags() -> None:
    assert faults(lambda: load_settings(None, AmiFlags(), Catalogue())) == [
        "command line: found neither --config.file nor --ami.address, expected one; or try `ami-exporter demo`"
    ]


def test_flags_and_a_file_without_targets_go_together() -> None:
    catalogue = Catalogue(read_file=reading({"c.yml": b"defaults: {timeout: 5s, username: other}\n"}))
    settings = load_settings("c.yml", AmiFlags("pbx", "exporter", Secret("s3cret")), catalogue)
    target = settings.targets["default"]
    assert (target.host, target.username, target.timeout) == ("pbx", "exporter", 5.0)


def test_flags_and_a_file_with_targets_do_not() -> None:
    catalogue = Catalogue(read_file=reading({"c.yml": b"\ntargets: {pbx1: {}}\n"}))
    assert faults(lambda: load_settings("c.yml", AmiFlags("pbx", "exporter", Secret("s3cret")), catalogue)) == [
        "c.yml:2:1: targets: found targets beside --ami.address, expected one of them"
    ]


def test_a_fault_of_a_flag_is_not_blamed_on_the_file() -> None:
    catalogue = Catalogue(read_file=reading({"c.yml": b"defaults: {timeout: 5s}\n"}))
    assert faults(lambda: load_settings("c.yml", AmiFlags("pbx:0", "exporter", Secret("s3cret")), catalogue)) == [
        "--ami.address: found text, expected a port from 1 to 65535"
    ]
