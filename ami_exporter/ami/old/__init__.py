"""Servers before Asterisk 12 (AMI 1.x): translates their events into those of Asterisk 12 and later."""
