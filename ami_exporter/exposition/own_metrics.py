"""Declares the exporter's own metrics: scrapes, links and itself. The modules that know the values build families."""

from __future__ import annotations

from typing import Final

from ami_exporter.collectors.declarations import Metric, Origin


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, "gauge", text, labels, Origin.EXPORTER)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, "counter", text, labels, Origin.EXPORTER)


UP = _gauge("asterisk_up", "1: logged in and answering, whatever the rights (AMI Ping).")
SCRAPE_DURATION = _gauge("asterisk_scrape_duration_seconds", "Duration of this scrape of the PBX.")
COLLECTOR_SUCCESS = _gauge(
    "asterisk_scrape_collector_success",
    "1: every action that was sent for this collector answered in full; 0: a fault of this scrape, or the PBX is down.",
    "collector",
)
COLLECTOR_DURATION = _gauge(
    "asterisk_scrape_collector_duration_seconds",
    "From the end of the previous answer to the end of this collector's answers, summed over its actions.",
    "collector",
)
DATA_AGE = _gauge(
    "asterisk_scrape_collector_data_age_seconds",
    "Age of the oldest answer behind this collector's metrics; above 0 when one is served again (min_interval; load "
    "guard: an answer that took t ≥ 0.5 s is served again for 20 × t; a minute for lists from a realtime database).",
    "collector",
)
UNAVAILABLE = _gauge(
    "asterisk_scrape_collector_unavailable",
    "1: an action of this collector that the server does not offer to this AMI user; ami-exporter doctor says why.",
    "collector",
    "action",
    "reason",
)
LINK_UP = _gauge(
    "ami_exporter_link_up",
    "1: connected and logged in. Link user_events exists if a rule counts UserEvents.",
    "link",
)
LINK_CONNECTS = _counter("ami_exporter_link_connects_total", "Connections on which the login was accepted.", "link")
LOGIN_FAILURES = _counter(
    "ami_exporter_login_failures_total",
    "Connections that ended before the login was accepted, by reason.",
    "reason",
)
EVENTS_RECEIVED = _counter(
    "ami_exporter_events_received_total", "Messages with an Event header received on the event links."
)
EVENTS_GAP = _counter(
    "ami_exporter_events_gap_seconds_total",
    "Time without one of the event links, from the last sign of life of the previous one (bytes or Pong; a quiet link "
    "gets a Ping every 5 s). Events of that time are in no event counter. May be too long, never too short.",
)
PROTOCOL_ERRORS = _counter("ami_exporter_protocol_errors_total", "Protocol violations by the server, by kind.", "kind")
EVENT_CLASSES = _gauge(
    "ami_exporter_event_classes",
    "1: a class of events that the event link requested and gets. Absent while the link is down, and if a poll showed "
    "a channel, a queue caller or a login of ours without its event: the user's read= (or an eventfilter) lacks it.",
    "class",
)
SERIES_DROPPED = _counter(
    "ami_exporter_series_dropped_total",
    "Label sets refused by the cap series_per_metric, counted at each poll or event that brought one.",
    "metric",
)
CERTIFICATE = _gauge(
    "asterisk_ami_certificate_not_after_timestamp_seconds",
    "When the certificate of AMI's last TLS handshake ends, Unix seconds; kept while the PBX is down. A link is "
    "reopened at least once a day (our TLS handshake with AMI)",
)
BUILD_INFO = _gauge(
    "ami_exporter_build_info", "Always 1; the versions of the exporter and of Python.", "version", "python_version"
)
RELOAD_SUCCESSFUL = _gauge(
    "ami_exporter_config_last_reload_successful",
    "1: the last (re)load of the configuration was good; 0: it was bad and changed nothing.",
)
RELOAD_TIMESTAMP = _gauge(
    "ami_exporter_config_last_reload_success_timestamp_seconds",
    "Unix time of the last good (re)load of the configuration.",
)
METRICS: Final = (
    UP,
    SCRAPE_DURATION,
    COLLECTOR_SUCCESS,
    COLLECTOR_DURATION,
    DATA_AGE,
    UNAVAILABLE,
    LINK_UP,
    LINK_CONNECTS,
    LOGIN_FAILURES,
    EVENTS_RECEIVED,
    EVENTS_GAP,
    EVENT_CLASSES,
    PROTOCOL_ERRORS,
    SERIES_DROPPED,
    CERTIFICATE,
    BUILD_INFO,
    RELOAD_SUCCESSFUL,
    RELOAD_TIMESTAMP,
)
"""In the order of docs/metrics.md."""
