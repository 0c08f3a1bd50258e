"""Speed, memory and scale against the raw floor and the peers: `make bench`; results are in docs/performance.md."""
