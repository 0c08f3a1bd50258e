"""Servers before Asterisk 12 (AMI 1.x): their events, told as Asterisk 12 and later tell them."""
