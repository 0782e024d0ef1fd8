"""The Flink jobs."""

__version__ = "0.1.0"
