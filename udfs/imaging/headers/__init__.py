"""What a file announces, read from its bytes in bounded steps: no library, no pixel, nothing in proportion to either.

One module per container; each has a `read_...(source, limits)` that gives a `Header` or raises a SourceRejected.
"""

from udfs.imaging.headers.header import Header

__all__ = ["Header"]
