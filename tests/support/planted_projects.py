"""Leaks of a Python project and of the tools around it: a table of names, paths and contents."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import plistlib
import random
import zlib
from typing import Final
from urllib.parse import quote

from tests.support.key_documents import PKCS8
from tests.support.made_up_tokens import HEX, LETTERS, drawn, pem
from tests.support.texts_inside import (
    database,
    docx,
    dump_by_hexdump,
    dump_by_xxd,
    pdf,
    pdf_in_letters,
    seven_zip,
)

__all__ = ["PROJECT_LEAKS", "SOURCE_MAPS"]

_PASSWORD: Final = "Gh7" + "kq!Lr2v"
_TOML: Final = f"[db]\npassword = '{_PASSWORD}'\n"
_DOTENV: Final = f"DEBUG=0\nDB_HOST=db.internal\nDB_PASSWORD={_PASSWORD}\n"
_NOISE: Final = random.Random(5).randbytes(500)
_UUID: Final = "-".join((drawn(8, HEX), drawn(4, HEX), drawn(4, HEX, 2), drawn(4, HEX, 3), drawn(12, HEX)))
_BASE64: Final = LETTERS + "+/"
_DSN: Final = f"postgres://shop:{drawn(14)}@db.internal/shop"
_DJANGO: Final = "pbkdf2_" + f"sha256$600000${drawn(22)}${drawn(43)}="
_ARGON: Final = "$argon2id" + f"$v=19$m=65536,t=3,p=4${drawn(22)}${drawn(43)}"
_MAP: Final = {"version": 3, "sourcesContent": ["export const price = (a: number) => a * 0.9;\n" * 40], "mappings": "A"}
_LONG_MAP: Final = {
    "sourcesContent": ["// a line of the bundle\n" * 20_000 + f"const x = {{dbPassword: '{_PASSWORD}'}};\n"]
}


def _encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def _packet() -> bytes:
    """A secret key of OpenPGP, and the user behind it."""
    key = b"\x04\x5f\0\0\0\x01\x04\0" + _NOISE[:464]
    return b"\x95" + len(key).to_bytes(2, "big") + key + b"\xb4\x10" + b"bob <b@x.invalid>"[:16]


def _core() -> bytes:
    header = b"\x7fELF\2\1\1\0" + bytes(8) + b"\4\0\x3e\0\1\0\0\0" + bytes(40)
    return header + _NOISE + f"\0PATH=/bin\0DB_PASSWORD={_PASSWORD}\0LANG=C\0".encode() + _NOISE


SOURCE_MAPS: Final = {
    "Base64": f"p()\n//# sourceMappingURL=data:application/json;base64,{_encoded(_MAP)}\n",
    "URL encoding": f"p()\n//# sourceMappingURL=data:application/json,{quote(json.dumps(_MAP))}\n",
}
_PACKED: Final = {
    "7z": ("app/old.7z", seven_zip("conf.toml", _TOML.encode())),
    "a name in 7z": ("app/old.7z", seven_zip("site/.env", b"A=b\n")),
    "PDF": ("app/runbook.pdf", pdf(f"DATABASE_URL={_DSN}")),
    "PDF with text in pieces": ("app/handbook.pdf", pdf_in_letters(f"password = {_PASSWORD}")),
    "a database with tokens": (
        "app/db.sqlite3",
        database("create table authtoken_token (key text, user_id int)", drawn(40, HEX), 1),
    ),
    "a database with hashes": ("app/users.db", database("create table auth_user (id int, password text)", 1, _DJANGO)),
    "a database with JSON": (
        "app/conns.db",
        database("create table connection (id text, extra text)", "x", json.dumps({"password": _PASSWORD})),
    ),
    "a pickle": ("app/state.pkl", pickle.dumps({"user": "shop", "password": _PASSWORD})),
    "a pickle of protocol 0": ("app/state.pkl", pickle.dumps({"user": "shop", "password": _PASSWORD}, protocol=0)),
    "a binary property list": (
        "app/prefs.plist",
        plistlib.dumps({"mail": {"user": "shop", "password": _PASSWORD}}, fmt=plistlib.FMT_BINARY),
    ),
    "a dump by xxd": ("app/notes.txt", dump_by_xxd(_TOML.encode()).encode()),
    "a dump by hexdump": ("app/notes.txt", dump_by_hexdump(_TOML.encode()).encode()),
    "words in parts of Word's": ("app/runbook.docx", docx("DB_", "PASS", f"WORD={_PASSWORD[:4]}", _PASSWORD[4:])),
    "words in parts of OpenDocument": (
        "app/content.xml",
        f"<text:p>password = <text:span>{_PASSWORD[:3]}</text:span>{_PASSWORD[3:]}</text:p>".encode(),
    ),
    "hexadecimal digits": ("app/conf.txt", f"blob={_TOML.encode().hex()}\n".encode()),
    "hexadecimal digits of a key": ("app/key.txt", PKCS8.hex().encode()),
    "escapes": ("app/x.js", b'c="' + b"".join(b"\\x%02x" % byte for byte in _DOTENV.encode()) + b'"'),
    "URL encoding": ("app/job.txt", f"task=sync&dsn={quote(_DSN, safe='')}\n".encode()),
    "HTML": ("app/report.html", f"<pre>&#39;AWS_SECRET_ACCESS_KEY&#39;: &#39;{drawn(40)}&#39;</pre>".encode()),
    "a long source map": (
        "app/long.js",
        f"p()\n//# sourceMappingURL=data:application/json;base64,{_encoded(_LONG_MAP)}\n".encode(),
    ),
    "a crash": ("app/core.4711", _core()),
    "variables of a process": ("app/environ", f"PATH=/bin\0DB_PASSWORD={_PASSWORD}\0LANG=C\0".encode()),
    "a cluster in Base64": (
        "app/ci.txt",
        b"KUBE=" + base64.b64encode(f"clusters:\nusers:\n- user:\n    token: {drawn(60)}\n".encode()),
    ),
    "a notebook's output": (
        "app/nb.json.gz",
        gzip.compress(json.dumps({"text": [f"'DB_PASSWORD': '{_PASSWORD}'"]}).encode()),
    ),
}
_BINARY: Final = {
    "OpenPGP": ("app/keys/release.bin", _packet()),
    "GnuPG's agent": ("app/keys/a.key", b"Created: 20260101T000000\nKey: (private-key (rsa (n #00A1#)(d #00B2#)))\n"),
    "GnuPG's agent, protected": ("app/keys/b.key", b"(21:protected-private-key(3:rsa(1:n257:" + _NOISE),
    "a ticket of Kerberos": ("app/ticket", b"\5\4\0\x0c\0\1\0\x08" + _NOISE),
    "a keytab elsewhere": ("app/login.bin", b"\5\2\0\0\0\x3f\0\2\0\x08SHOP.INT\0\4HTTP" + _NOISE),
    "a wallet of Oracle": ("app/cwallet.sso", b"\xa1\xf8\x4e6" + _NOISE),
    "Tor": ("app/hs_key", b"== ed25519v1-secret: type0 ==\0\0\0" + _NOISE[:64]),
    "a pack of git": ("srv/pack-1.pack", b"PACK\0\0\0\2\0\0\0\1" + _NOISE),
    "a bundle of git": ("app/shop.bundle", b"# v2 git bundle\n" + _NOISE),
    "an object of git": ("srv/4d2a", zlib.compress(b"blob 40\0" + _DOTENV.encode())),
    "DBeaver": ("app/.dbeaver/credentials-config.json", _NOISE),
}
_TEXTS: Final = {
    "a fixture of Django": ("app/users.json", json.dumps([{"fields": {"username": "admin", "password": _DJANGO}}])),
    "hashes in JSON": ("app/users.json", json.dumps({"name": "bob", "hash": "$2b$" + "12$" + drawn(53)})),
    "a dump of PostgreSQL": ("app/dump.sql", f"COPY auth_user (id, password) FROM stdin;\n1\t{_DJANGO}\n\\.\n"),
    "a dump of MySQL": ("app/dump.sql", f"(1,'bob','{_ARGON}');\n"),
    "roles of PostgreSQL": (
        "app/roles.sql",
        f"ALTER ROLE shop PASSWORD 'SCRAM-SHA-256$4096:{drawn(22)}==${drawn(43)}=:{drawn(43)}=';\n",
    ),
    "roles with MD5": ("app/roles.sql", f"ALTER ROLE shop WITH PASSWORD 'md5{drawn(32, HEX)}';\n"),
    "users of MySQL": (
        "app/grants.sql",
        f"CREATE USER shop IDENTIFIED WITH 'x' AS '*{drawn(40, '0123456789ABCDEF')}';\n",
    ),
    "Werkzeug": ("app/seed.yaml", f"pw: scrypt:32768:8:1${drawn(16)}${drawn(128, HEX)}\n"),
    "RabbitMQ": (
        "app/definitions.json",
        json.dumps({"hashing_algorithm": "x", "password_hash": drawn(48, _BASE64)}),
    ),
    "Windows' installer": (
        "app/unattend.xml",
        f"<Password><Value>{drawn(40)}</Value><PlainText>false</PlainText></Password>",
    ),
    "a remote desktop": ("app/x.rdp", f"username:s:bob\npassword 51:b:{drawn(400, '0123456789ABCDEF')}\n"),
    "a key of .NET": ("app/key.xml", f"<RSAKeyValue><P>{drawn(86)}</P><D>{drawn(171)}=</D></RSAKeyValue>"),
    "cookiecutter's variables": ("app/.envs/.production/.django", f"# General\nDJANGO_SECRET_KEY={drawn(64)}\n"),
    ".flaskenv": ("app/.flaskenv", "FLASK_APP=shop\n"),
    "env.production": ("app/env.production", _DOTENV),
    "act's secrets": ("app/.secrets", "A=b\n"),
    "DVC": ("app/.dvc/config.local", f"['remote \"s3\"']\n    secret_access_key = {drawn(40)}\n"),
    "Poetry's token": ("app/auth.toml", f'[pypi-token]\nprivate = "{drawn(60)}"\n'),
    "a lock of uv": ("app/uv.lock", f'source = {{ registry = "https://{drawn(40)}@pypi.internal/simple" }}\n'),
    "a lock of Pipenv": ("app/Pipfile.lock", json.dumps({"url": f"https://{drawn(40)}@pypi.internal/simple"})),
    "conda's channel": ("root/.condarc", f"channels:\n  - https://conda.internal/t/xy-{_UUID}/main\n"),
    "a history of ash": ("root/.ash_history", "ls\n"),
    "a history of fish": ("root/.local/share/fish/fish_history", "- cmd: ls\n"),
    "vim's registers": ("root/.viminfo", "# Registers:\n"),
    "a secret of a swarm": ("run/secrets/db_password", f"{_PASSWORD}\n"),
    "a file for one secret": ("app/secrets/api_token.txt", f"{drawn(40)}\n"),
    "a variable of s6": ("etc/s6/env/SECRET_KEY", drawn(50)),
    "Ansible's inventory": ("app/hosts", f"[web]\nweb1 ansible_host=10.0.0.1 ansible_ssh_pass={drawn(12)}9\n"),
    "Ansible's variables": ("app/group_vars/all", f"---\nansible_become_pass: {drawn(12)}9\n"),
    "a token of Terraform": ("root/x/credentials.tfrc.json", "{}"),
    "Postman's variables": (
        "app/prod.postman_environment.json",
        json.dumps({"values": [{"key": "shop", "value": drawn(40), "type": "secret"}]}),
    ),
    "a cookie in a HAR file": (
        "app/login.har",
        json.dumps({"request": {"cookies": [{"name": "sessionid", "value": drawn(32)}]}}),
    ),
    "a header of a cassette": ("app/c/a.yaml", f"headers:\n  Authorization:\n  - Bearer {drawn(48)}\n"),
    "a key of a cassette": ("app/c/b.yaml", f"headers:\n  X-Api-Key:\n  - {drawn(32)}\n"),
    "a log": ("app/app.log", f"INFO GET https://api.internal/v1/x?access_token={drawn(40)}&page=2 200\n"),
    "a string of libpq": ("app/x.rb", f'PG.connect("host=db user=shop password={drawn(12)} dbname=shop")\n'),
    "a key in YAML (JWK)": ("app/jwk.yaml", f"kty: OKP\ncrv: Ed25519\nd: {drawn(43)}\n"),
    "Consul": ("app/consul.hcl", f'encrypt = "{drawn(43, _BASE64)}="\n'),
    "Solana": ("app/id.json", json.dumps(list(_NOISE[:64]))),
    "Erlang's cookie": ("var/lib/rabbitmq/.erlang.cookie", "ABC"),
    "a property list": ("app/x.plist", f"<dict><key>apiToken</key>\n<string>{drawn(40)}</string></dict>"),
    "a key on one line": ("app/x.env.txt", "DEPLOY_KEY=" + pem().replace("\n", "\\n")),
}
PROJECT_LEAKS: Final[dict[str, tuple[str, bytes]]] = {
    **_PACKED,
    **_BINARY,
    **{name: (path, text.encode()) for name, (path, text) in _TEXTS.items()},
}
