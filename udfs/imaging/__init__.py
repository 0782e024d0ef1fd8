"""The imaging core: bytes and presets in, bytes and facts out.

It knows no stream, no store, no clock and no settings.
"""
