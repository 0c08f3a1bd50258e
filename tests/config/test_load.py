from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.load import load
from ami_exporter.config.secret import Secret


def test_the_smallest_file_has_every_default() -> None:
    text = "targets: {pbx1: {address: pbx1.example.net, username: exporter, secret: s3cret}}"
    target = load("c.yml", text, Catalogue()).targets["pbx1"]
    assert (target.name, target.host, target.port) == ("pbx1", "pbx1.example.net", 5038)
    assert (target.username, target.secret, target.md5, target.tls) == ("exporter", Secret("s3cret"), True, None)
    assert (target.timeout, target.events, target.trunks) == (9.0, True, "auto")
    assert target.limits.series_per_metric == 1000
    assert target.queue_wait_buckets == (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
