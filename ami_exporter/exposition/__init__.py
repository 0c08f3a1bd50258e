"""Samples to families to exposition text. Knows no PBX and no HTTP."""
