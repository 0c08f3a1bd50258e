"""Alert and recording rules, built from prometheus/source."""
