"""A seeded schedule of faults under a mixed load, judged by an independent model: `python -m tests.chaos --help`."""
