"""Speed against peers: `python -m benchmarks.NAME`, ratios of one run."""
