"""The marks by which decoders find their way, for the fuzzer to insert whole."""

from pathlib import Path
from typing import Final

TOKENS: Final[dict[str, tuple[bytes, ...]]] = {
    "jpeg": (
        *(bytes((0xFF, marker)) for marker in (0xC0, 0xC1, 0xC2, 0xC4, 0xC9, 0xCC, 0xD0, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD)),
        *(bytes((0xFF, marker)) for marker in (0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE)),
        b"JFIF\0",
        b"Exif\0\0",
        b"ICC_PROFILE\0",
        b"Adobe",
        b"MPF\0",
        b"http://ns.adobe.com/xap/1.0/\0",
        b"8BIM",
    ),
    "png": (
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs", b"tEXt", b"zTXt"),
        *(b"iTXt", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"bKGD", b"sBIT", b"cICP"),
    ),
    "webp": (
        b"RIFF",
        b"WEBP",
        b"VP8 ",
        b"VP8L",
        b"VP8X",
        b"ANIM",
        b"ANMF",
        b"ALPH",
        b"ICCP",
        b"EXIF",
        b"XMP ",
        b"\x2f",
    ),
    "gif": (b"GIF87a", b"GIF89a", b"\x21\xf9\x04", b"\x21\xff\x0bNETSCAPE2.0\x03\x01", b"\x21\xfe", b"\x2c", b"\x3b"),
    "tiff": (
        *(b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0\x08\0\0\0", b"MM\0\x2b\0\x08\0\0"),
        *(tag.to_bytes(2, "little") for tag in (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 323)),
        *(tag.to_bytes(2, "little") for tag in (324, 325, 330, 338, 339, 347, 530, 34665, 34675, 34853, 700)),
    ),
    "boxes": (
        *(b"ftyp", b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"meta", b"hdlr", b"pict", b"pitm", b"iloc"),
        *(b"iinf", b"infe", b"iref", b"dimg", b"auxl", b"cdsc", b"thmb", b"iprp", b"ipco", b"ipma", b"ispe", b"pixi"),
        *(b"irot", b"imir", b"clap", b"colr", b"nclx", b"prof", b"av1C", b"hvcC", b"auxC", b"mdat", b"idat", b"grid"),
        *(b"iovl", b"moov", b"trak", b"stbl", b"stsz", b"stco", b"stsc", b"stts", b"Exif", b"mime", b"av01", b"hvc1"),
    ),
    "jxl": (b"\xff\x0a", b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a", b"jxlc", b"jxlp", b"jbrd", b"brob", b"ftypjxl "),
    "numbers": (
        b"\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\x7f",
        b"\x80\0\0\0",
        b"\0\0\0\x80",
        b"\0\x01\0\0",
    ),
}


def write_dictionary(path: Path) -> Path:
    """Write libFuzzer's form: one token a line, quoted, every byte as hex."""
    lines = [
        f'{group}{index}="{escaped(token)}"' for group, tokens in TOKENS.items() for index, token in enumerate(tokens)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def escaped(token: bytes) -> str:
    """Every byte as two hex digits."""
    return "".join(rf"\x{byte:02x}" for byte in token)
