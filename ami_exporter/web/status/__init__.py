"""The status page: what works, what does not, and how to fix it."""
