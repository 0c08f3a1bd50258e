"""The Asterisk Manager Interface: bytes to messages and back, the actions that may be sent, one session."""
