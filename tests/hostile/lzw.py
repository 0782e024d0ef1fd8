"""LZW data that unpack to a long run of one value, made without packing it."""

from collections.abc import Iterator


def run_codes(root_bits: int, length: int, early: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (code, bits) for `length` zeros: each code is the longest string so far, until the table is full.

    Source: GIF89a specification, appendix F. TIFF's codes grow longer one code `early` (TIFF revision 6.0, section 13).
    """
    clear = 1 << root_bits
    size, bits = clear + 2, root_bits + 1
    yield clear, bits
    yield 0, bits
    done, string = 1, 2
    while done < length:
        code = min(size, 4095 - early)
        yield code, bits
        done += string
        if size < 4095 - early:
            size, string = size + 1, string + 1
            if size + early == 1 << bits and bits < 12:
                bits += 1
    yield clear + 1, bits


def packed_low_first(codes: Iterator[tuple[int, int]]) -> bytes:
    """Pack codes as GIF does, the lowest bit first."""
    data, held, count = bytearray(), 0, 0
    for code, bits in codes:
        held |= code << count
        count += bits
        while count >= 8:
            data.append(held & 255)
            held, count = held >> 8, count - 8
    return bytes(data) + bytes((held,))


def packed_high_first(codes: Iterator[tuple[int, int]]) -> bytes:
    """Pack codes as TIFF does, the highest bit first."""
    data, held, count = bytearray(), 0, 0
    for code, bits in codes:
        held = held << bits | code
        count += bits
        while count >= 8:
            data.append(held >> (count - 8) & 255)
            count -= 8
        held &= (1 << count) - 1
    return bytes(data) + bytes((held << (8 - count) & 255,))
