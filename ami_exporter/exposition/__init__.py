"""Turns samples into families, and families into exposition text. Knows nothing about PBXs or HTTP."""
