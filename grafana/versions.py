"""Asterisk's version as a label, without what a distribution adds to it (22.9.0~dfsg+~cs6.16 is 22.9.0)."""

from __future__ import annotations

ASTERISK = 'label_replace(asterisk_info{@}, "version", "$1", "version", "([^~+ ]+).*")'
