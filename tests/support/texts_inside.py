"""Files that keep texts in a form of their own, as programs write them: archives, documents, databases, dumps."""

from __future__ import annotations

import base64
import binascii
import lzma
import sqlite3
import struct
import tempfile
import zlib
from contextlib import closing
from pathlib import Path

from tests.support.key_documents import zipped

__all__ = [
    "REAL_SEVEN_ZIPS",
    "database",
    "docx",
    "dump_by_hexdump",
    "dump_by_xxd",
    "pdf",
    "pdf_in_letters",
    "seven_zip",
]

# By py7zr 1.1.4, in Base85: hello.txt ("hello\n" ten times) and dir/last.txt ("last\n")
REAL_SEVEN_ZIPS = {
    "default": (
        "H+sCUCma9-@{haylmGw#000006#xJL00000!rN%_-~d1X5nTW@8A<Mq-Bx*i-"
        "`mFgKuV*40N?<I0CQac0D&_Ht`E<WZeS18YF>Ti*WNTd(ss*YYdS(k9{6g}uS`HVISm!y6e!-"
        "m+w|83)AT*v9u&f{H@^|y8fVmfXR7GfqFe<IYmeBWVCV5k2Scj^%WrGQO*(w{*35;6I8Wd9XSY~i%emtZ(}@aT000007X}#t33~t"
        "s3jqKDAt3=641k9K00"
    ),
    "bzip2": (
        "H+sCUCma9-?B0-DsQ>@~000006aWAK00000v&7umLRx4!F+o`-"
        "Q(2HzMBo4b3qgPY5F$j303ZM{3<wcWKT>2R3DqGu31`LJkxmpOBo$FO0N?<A0Bl_V0D&_Ht`E^nfT*C5pmIahvErL34B7_{q=nsI"
        "8JueOHQ1qA9-"
        "K&=RYU+S#BI*`@exw#B+YB6)^LBrk&2by9xGM&>Uv!=P;82BY(nLX>{Lw*20f3k&<3eMT73$}o+OlyI7UB`0000002c-"
        "|0SR;f2MYlJ0U;p)7z}>^00"
    ),
    "deflate": (
        "H+sCUCma9-k-$-(g8%>k000006aWAK00000eiC8$%Sg@1$>+)-i_A$ZF5v<I-"
        "~fIAYh3^UfinlL56<$k3<t<VYy#JXI)!+Z+z1`v56cBMw5;@G6R=m``Oa%C=<)M`=#u?oI7(U^e1?#JzMpPVXbA4%I!Z$gE^>Ces"
        "uKc2B|^%RyCqn#O1tO6S|<T`ibTf-u;Vm-t_wZ@0000N1`q)Wa{vbm0RRCZApsZ+e*gd"
    ),
    "delta": (
        "H+sCUCma9-mn!4hlmGw#000006#xJL00000Q22ZS-"
        "~d1X6I}o_KRn<7Au=hpfoj*f{tuHC%>V%40EPf@T>t=qGY75@&$aIm57cU2edW{Jb*q~96=x64cU+G+wE?09B{xm&>8%n!p6c~%b"
        "uP&npyVNdbMT|h8okvXd7L8zuGC2lAI0WK6F>^}MmzW<S=|S&5I)p{E@Gfdq7n8eCCl!;)J!ZC|3>Pd000007X}*v33&hq3jqKDA"
        "t3=641k9K00"
    ),
    "lzma": (
        "H+sCUCma9-gG>dJj{pDw000006#xJL00000jv%3h05lm%?v346d4Av9#{59}5y$`kwI~1p-~fUEZ(RTYfinlL56^(E3=iw-"
        "o&gPF1C7&6LO%|%yA>EjjRv=u>`|zjM5qx6DBU_e^lNf<J~UEZ(hJDsQl^z5mCb<0#Dy+ACF7{eo!1DYPAQZqNBFi;t-"
        "OVAJiJBza&yxjW;|y;ZaOo%?|_g10000N1{eVecK`<q0RRCZApsZ+fP(-4"
    ),
    "copy": (
        "H+sCUCma9-5iczAuK)l5000006aWAK00000c+Ge`Xk~0{ZwhE-Y;11|Xk~0{ZwhE-Y;11|Xk~0{ZwhE-Y;11|Xk~0{ZwhE-"
        "Y;11|Xk~0{ZwhE-Y;11|Y+-YB3g7^G0A^hP0D&_Ht`E`w<2^vYknyd-E_hJ>secd-"
        "+FrP}mD+tpJh&JHKb)Cr?;x%_?C6s>ZVZR%?Mk49O|!O2mrJhF<UyLo`Q{36(smZ&Vm3yaX8|Z0h4C41t2UvTN&(Un`@6pY0000N"
        "20;M{ZU6@h0RRCZApsZ+djJ3"
    ),
}


def seven_zip(name: str, data: bytes, dictionary: int = 1 << 16) -> bytes:
    """A 7z archive of one file, packed by LZMA2, whose header is plain."""
    packed = lzma.compress(data, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}])
    bits = next(each for each in range(40) if (2 | each & 1) << (each // 2 + 11) >= dictionary)
    streams = b"\4\6" + _number(0) + _number(1) + b"\x09" + _number(len(packed)) + b"\0"
    streams += b"\7\x0b\1\0\1\x21\x21\1" + bytes((bits,)) + b"\x0c" + _number(len(data)) + b"\0\0"
    names = b"\0" + f"{name}\0".encode("utf-16-le")
    header = b"\1" + streams + b"\5\1\x11" + _number(len(names)) + names + b"\0\0"
    start = struct.pack("<QQI", len(packed), len(header), binascii.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", binascii.crc32(start)) + start + packed + header


def _number(value: int) -> bytes:
    """A number of less than 28 bits, in the form of 7z."""
    if value < 1 << 7:
        return bytes((value,))
    return bytes((0xE0 | value >> 24,)) + (value & 0xFFFFFF).to_bytes(3, "little")


def pdf(text: str) -> bytes:
    """A page that shows ``text``, packed as ReportLab does: deflated, and that in ASCII85."""
    content = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode()
    return _pdf(base64.a85encode(zlib.compress(content)) + b"~>", b"[ /ASCII85Decode /FlateDecode ]")


def pdf_in_letters(text: str) -> bytes:
    """A page that shows ``text``, in pieces between which the space is set as TeX does."""
    words = ")-250(".join(")3(".join((word[:3], word[3:])) for word in text.split(" "))
    return _pdf(zlib.compress(f"BT /F1 12 Tf 72 700 Td [({words})] TJ ET".encode()), b"/FlateDecode")


def _pdf(data: bytes, filters: bytes) -> bytes:
    stream = b"<</Length %d/Filter %b>>\nstream\n%b\nendstream" % (len(data), filters, data)
    return b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n4 0 obj\n" + stream + b"\nendobj\ntrailer<<>>\n%%EOF\n"


def database(table: str, *values: object) -> bytes:
    """A database of SQLite with one table, and one row in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(table)
            name = table.split()[2]
            connection.execute(f"insert into {name} values ({', '.join('?' * len(values))})", values)  # noqa: S608
        return path.read_bytes()


def docx(*parts: str) -> bytes:
    """A document of Word with one paragraph, whose words are kept in ``parts``, as it does after a correction."""
    runs = "".join(f'<w:r><w:rPr><w:lang w:val="en"/></w:rPr><w:t>{part}</w:t></w:r>' for part in parts)
    return zipped(("word/document.xml", f"<w:document><w:p>{runs}</w:p></w:document>".encode()))


def dump_by_xxd(data: bytes) -> str:
    """What ``xxd`` prints of ``data``."""
    return "".join(
        f"{start:08x}: {line.hex(' ', -2):<39}  {_letters(line)}\n"
        for start, line in ((start, data[start : start + 16]) for start in range(0, len(data), 16))
    )


def dump_by_hexdump(data: bytes) -> str:
    """What ``hexdump -C`` prints of ``data``."""
    lines = [data[start : start + 16] for start in range(0, len(data), 16)]
    rows = (f"{line[:8].hex(' '):<23}  {line[8:].hex(' '):<23}" for line in lines)
    text = [f"{16 * n:08x}  {row}  |{_letters(line)}|\n" for n, (row, line) in enumerate(zip(rows, lines, strict=True))]
    return f"{''.join(text)}{len(data):08x}\n"


def _letters(line: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
