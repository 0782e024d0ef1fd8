"""Reconciles events, statuses, dead letters and objects. Knows the records' schemas and nothing of the job's code."""

from darkroom.verify.figures import Figures
from darkroom.verify.findings import Finding, Kind
from darkroom.verify.oracle import Options, Streams, verify_streams
from darkroom.verify.report import Report

__all__ = ["Figures", "Finding", "Kind", "Options", "Report", "Streams", "verify_streams"]
