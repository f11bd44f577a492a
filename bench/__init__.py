"""The side-by-side measurement of this project against its peers; scripts/bench runs it, docs/performance.md tells how."""
