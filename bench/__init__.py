"""Measures this project side by side with its peers: scripts/bench runs it, docs/performance.md explains it."""
