"""Leaks in files of systems, servers and clients, and in packages: a table of names, paths and contents."""

from __future__ import annotations

import base64
import gzip
import json
import lzma
import struct
from typing import Final

from tests.support.key_documents import CONFIG, NOISE, tarred, zipped
from tests.support.made_up_tokens import GITHUB, HEX, PASSWORD, drawn

__all__ = ["SOURCES_IN_PACKAGES", "SYSTEM_LEAKS", "cpio", "deb", "rpm"]

_SOURCE: Final = b"def rebate(price):\n    return price * 0.9\n"


def _ar(*members: tuple[str, bytes]) -> bytes:
    made = b"!<arch>\n"
    for name, data in members:
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return made


def deb(name: str, data: bytes) -> bytes:
    """A package of Debian with one file."""
    control, files = (lzma.compress(tarred(*each)) for each in (("control", b"Package: x\n"), (name, data)))
    return _ar(("debian-binary", b"2.0\n"), ("control.tar.xz", control), ("data.tar.xz", files))


def cpio(*members: tuple[str, bytes]) -> bytes:
    """An archive by cpio, in the form that RPM takes."""
    made = b""
    for name, data in (*members, ("TRAILER!!!", b"")):
        fields = (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        made += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        made += bytes(-len(made) % 4) + data
        made += bytes(-len(made) % 4)
    return made


def rpm(name: str, data: bytes) -> bytes:
    """A package of RPM with one file: a lead, a signature whose length is no multiple of eight, a header."""
    signature = b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 1, 5) + bytes(16 + 5) + bytes(3)
    header = b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 2, 7) + bytes(32 + 7)
    return b"\xed\xab\xee\xdb" + bytes(92) + signature + header + gzip.compress(cpio((name, data)))


_RUN: Final = b"#!/usr/bin/env python3\n"
SOURCES_IN_PACKAGES: Final = {
    "a package of Debian": ("app/shop.deb", deb("./opt/shop/pricing.py", _SOURCE)),
    "a package of RPM": ("app/shop.rpm", rpm("./opt/shop/pricing.py", _SOURCE)),
    "an egg": ("app/shop.egg", zipped(("shop/pricing.py", _SOURCE))),
    "a zip that runs": ("app/shop.pyz", _RUN + zipped(("shop/pricing.py", _SOURCE))),
}
_ENCODED: Final = base64.b64encode(NOISE[:72]).decode()
_TEXTS: Final = {
    "a mount": ("etc/fstab", "//nas/share /mnt cifs username=bob,password=swordfish,uid=1000 0 0\n"),
    "a mount, the password first": ("etc/mounts", "//nas/x /mnt cifs ro,pass=swordfish,username=bob 0 0\n"),
    "htdigest": ("app/conf/users", f"bob:Realm Area:{drawn(32, HEX)}\n"),
    "Samba's passwords": ("etc/samba/pw", f"bob:1000:{'X' * 32}:{drawn(32, HEX).upper()}:[U    ]:LCT-5F000000:\n"),
    "what pwdump prints": ("app/dump.txt", f"bob:500:aad3b435b51404eeaad3b435b51404ee:{drawn(32, HEX)}:::\n"),
    "Mosquitto's passwords": ("etc/mosquitto/pw", f"bob:$7$101${drawn(16)}${drawn(86)}==\n"),
    "PgBouncer's passwords": ("etc/userlist.txt", f'"bob" "md5{drawn(32, HEX)}"\n'),
    "PgBouncer's (SCRAM)": ("etc/users.txt", f'"bob" "SCRAM-SHA-256$4096:{drawn(24)}${drawn(44)}:{drawn(44)}"\n'),
    "Dovecot's passwords": ("etc/dovecot/users", f"bob:{{PLAIN}}{drawn(10)}:1000\n"),
    "Dovecot's hashes": ("etc/dovecot/users", f"bob:{{SSHA512}}{_ENCODED}\n"),
    "LDIF": ("app/x.ldif", f"dn: uid=bob\nuserPassword: {{SSHA}}{drawn(32)}\n"),
    "LDIF, encoded": ("app/x.ldif", f"dn: uid=bob\nuserPassword:: {base64.b64encode(PASSWORD.encode()).decode()}\n"),
    "a mail server's relay": ("etc/postfix/relay", f"[smtp.example]:587 bob@example:{drawn(12)}\n"),
    "a key of IPsec": ("etc/ipsec/keys", f': PSK "{drawn(16)}"\n'),
    "a key of BIND": ("etc/bind/k", f'key "k" {{ algorithm hmac-sha256; secret "{drawn(43)}="; }};\n'),
    "a key of OpenVPN": (
        "etc/vpn.txt",
        "-----BEGIN OpenVPN Static key V1-----\n" + f"{drawn(32, HEX)}\n" * 16 + "-----END\n",
    ),
    "SNMP": ("etc/snmp/snmpd.conf", f"createUser bob SHA {drawn(12)} AES {drawn(12)}\n"),
    "a variable of Apache": ("etc/apache2/x.conf", f"SetEnv DB_PASSWORD {drawn(10)}1\n"),
    "a header of nginx for the program": ("etc/nginx/x.conf", f"proxy_set_header X-Api-Key {drawn(32)};\n"),
    "a key of DNSSEC": ("etc/K", f"Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: {drawn(43)}=\n"),
    "a key of minisign": ("app/sign", f"untrusted comment: minisign encrypted secret key\nRWRTY0Iy{drawn(204)}\n"),
    "a key of ssh.com": (
        "app/ssh2",
        f"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n{drawn(70)}\n---- END\n",
    ),
    "a wallet": (
        "app/UTC--x",
        json.dumps({"crypto": {"ciphertext": drawn(64, HEX), "kdf": "scrypt", "mac": drawn(64, HEX)}, "version": 3}),
    ),
    "Kickstart": ("app/ks.cfg", f"rootpw --plaintext {drawn(10)}\n"),
    "debconf": ("app/preseed", f"d-i passwd/root-password password {drawn(10)}\n"),
    "PowerShell": ("app/x.ps1", f'ConvertTo-SecureString "{drawn(12)}" -AsPlainText -Force\n'),
    "cloud-init": ("app/user-data", f"#cloud-config\nchpasswd:\n  list: |\n    root:{drawn(10)}\n"),
    "npm's token elsewhere": ("app/npmrc.txt", f"//registry.example/:_authToken={drawn(36)}\n"),
    "npm's login elsewhere": ("app/npmrc.txt", f"_auth={base64.b64encode(b'bob:' + drawn(10).encode()).decode()}\n"),
    "Composer": ("app/auth.json", json.dumps({"github-oauth": {"github.com": drawn(40, HEX)}})),
    "Bundler": ("app/.bundle/config", f'BUNDLE_GEMS__EXAMPLE: "bob:{drawn(12)}1"\n'),
    "Subversion": ("app/svn.simple/1", f"K 8\npassword\nV 10\n{drawn(10)}\nEND\n"),
    "cookies": ("app/cookies.txt", f"# HTTP Cookie File\n.x.example\tTRUE\t/\tTRUE\t0\tid\t{drawn(32)}\n"),
    "a table of logins": ("app/logins.csv", f"name,url,username,password\nx,https://x.example,bob,{PASSWORD}\n"),
    "a table of keys": ("app/keys.csv", f"User name,Secret access key\nbob,{drawn(40)}\n"),
    "a file of cron": ("etc/cron.d/job", f"* * * * * root curl -u bob:{drawn(10)}1 https://x.example\n"),
    "settings in one another": ("app/conf/hub", f"github.com:\n- user: bob\n  oauth_token: {drawn(40)}\n"),
    "a block of YAML": ("app/b.yaml", f"password: |\n  {PASSWORD}\n"),
    "an anchor of YAML": ("app/b.yaml", f"password: &shared {PASSWORD}\n"),
    "a long text of TOML": ("app/b.toml", f"password = '''{PASSWORD}'''\n"),
    "JSON in JSON": ("app/b.json", json.dumps(json.dumps({"password": PASSWORD}))),
    "a symbol of Ruby": ("app/x.rb", f':password => "{drawn(12)}1a"\n'),
    "a constant of Go": ("app/x.go", f'const dbPassword string = "{drawn(12)}1a"\n'),
    "gem's key": ("app/gem/login", f"---\n:rubygems_api_key: {drawn(32, HEX)}\n"),
}  # fmt: skip
SYSTEM_LEAKS: Final = {
    **{name: (path, text.encode()) for name, (path, text) in _TEXTS.items()},
    "Password Safe": ("app/all.bin", b"PWS3" + NOISE),
    "settings in a package of Debian": ("app/x.deb", deb("./etc/conf.toml", CONFIG)),
    "settings in a package of RPM": ("app/x.rpm", rpm("./etc/conf.toml", CONFIG)),
    "settings in an archive by cpio": ("app/initrd", cpio(("etc/conf.toml", CONFIG))),
    "settings in an archive by ar": ("app/x.a", _ar(("conf.toml/", CONFIG))),
    "settings in a zip that runs": ("app/x.pyz", _RUN + zipped(("conf.toml", CONFIG))),
    "a token in a member's name": ("app/x.tar", tarred(f"cache/{GITHUB}.json", b"{}")),
}
