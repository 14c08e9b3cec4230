"""Images with what looks much like a leak, and is none: a table."""

from __future__ import annotations

import base64
import gzip
import json
import random
from typing import Any

from tests.support.key_documents import CERTIFICATE, JKS_TRUST, NOISE, tarred, zipped
from tests.support.made_up_tokens import BASE32, HEX, JWT, drawn, pem
from tests.support.planted import Planted

__all__ = ["NEAR_MISSES"]

_HARMLESS_TEXTS = {
    "the arguments of a login": ("app/mail.py", "server.login(user=self.username, password=self.password)\n"),
    "a variable in YAML": ("app/conf.yaml", "password: ${DB_PASSWORD}\ntoken: !vault x\nsecret: {{ secret }}\n"),
    "a type in a schema": ("app/openapi.yaml", "properties:\n  password:\n    type: string\n  token: string\n"),
    "words for a form": ("app/de.json", json.dumps({"password": "Passwort", "token": "Zugangsschlüssel"})),
    "an example in a document": ("app/README.md", "Set `PASSWORD=changeme` or token: your-token-here\n"),
    "names of variables": (
        "app/conf.ini",
        "password_file = /run/secrets/db\ntoken_url = https://x.example/oauth/token\n",
    ),
    "AWS's own example": ("app/aws.md", "AKI" + "AIOSFODNN7EXAMPLE\n"),
    "a made-up token": ("app/doc.txt", "ghp" + "_" + "x" * 36 + "\n" + "glpa" + "t-" + "a1" * 10 + "\n"),
    "a token in order": ("app/doc2.txt", "ghp" + "_" + "abcdefghijklmnopqrstuvwxyz0123456789\n"),
    "a token that is too short": ("app/short.txt", "ghp" + "_" + drawn(20) + "\n" + "AKI" + "A" + drawn(9) + "\n"),
    "a token inside a word": ("app/word.txt", "x" + "AKI" + "A" + drawn(16, BASE32) + "\n"),
    "a signed token without a signature": ("app/jwt.txt", ".".join(JWT.split(".")[:2]) + ".\n"),
    "no JSON in a signed token": ("app/jwt2.txt", "ey" + "J" + drawn(20) + ".ey" + "J" + drawn(20) + "." + drawn(43)),
    "words for a password": (
        "app/words.yaml",
        "password: required\npasswd: files\npassphrase: enter it again here\n",
    ),
    "the first line of a key": ("app/doc.rst", "-----BEGIN PRIVATE " + "KEY-----\n...\n"),
    "a public key": ("app/key.pem", pem().replace("PRIVATE", "PUBLIC")),
    "a certificate": ("app/cert.pem", pem().replace("PRIVATE KEY", "CERTIFICATE")),
    "a URL with an example's password": (
        "app/doc3.md",
        "postgresql://user:password@localhost/db http://user:pass@proxy:80\n",
    ),
    "a URL with a variable": ("app/u.yaml", "url: postgres://shop:${DB_PASSWORD}@db/shop\n"),
    "code that reads a password": ("app/static/x.js", "const password = document.getElementById('pw1234').value;\n"),
    "code that compares a token": ("app/static/y.js", "if (token === lexer.T_STRING2) { secret = other.secret9; }\n"),
    "places of code": ("app/entry_points.txt", "token = shop.plugins.v3:Token2\npassword = shop.auth.v2:Login\n"),
    "a public key (JWK)": ("app/jwks.json", json.dumps({"keys": [{"kty": "EC", "x": drawn(43), "y": drawn(43)}]})),
    "a variable from elsewhere": (
        "app/deploy.yaml",
        "- name: API_TOKEN\n  valueFrom:\n    secretKeyRef: {name: shop2, key: token3}\n",
    ),
    "a call without a value": ("app/x.php", "<?php\nget_option('auth_key', 'none');\ndefine('DB_PASSWORD', $x2);\n"),
    "commands that ask": ("app/x.sh", 'curl -u admin https://x.example\nmysql -u root -p\ncurl -u "$USER:$PASS" x\n'),
    "a server's own example": ("app/redis.conf", "# requirepass foobared\nrequirepass $PASSWORD2\n"),
    "words of SQL": ("app/x.sql", "CREATE USER shop WITH PASSWORD 'password';\n-- identified by 'your-password'\n"),
    "a line of prose": ("app/notes.txt", "password required\npassword  hashing\n"),
    "a connection string's template": ("app/X.cs", 'f("Server={0};Uid={1};Pwd={2};"); g("Server=x;Password=$PW;");\n'),
    "records that are no htdigest": ("app/sums", f"shop:1.0:{drawn(32, HEX)}\nnothing else\n"),
    "a mount with a file of credentials": ("etc/fstab", "//nas/x /mnt cifs username=bob,credentials=/run/c 0 0\n"),
    "a server's variables": (
        "etc/x.conf",
        "SetEnv DB_PASSWORD $PASSWORD1\nproxy_set_header X-Token $http_x_token;\nfastcgi_param SECRET ${S1};\n",
    ),
    "npm's variable": ("app/npmrc.txt", "//registry.example/:_authToken=${NPM_TOKEN}\n"),
    "a table about passwords": ("app/t.csv", "name,password,length\nrow,required,8\n"),
    "a block of YAML in words": ("app/b.yaml", "password: |\n  the password of your account\n"),
    "a hash in a lock": ("app/uv.lock", f'hash = "sha256:{drawn(64, HEX)}"\n'),
    "an empty Docker auth": ("app/registry.json", '{"auths": {"x": {"auth": ""}}}'),
    "a cluster without keys": ("app/kube.yaml", "clusters: []\nusers: []\ncontexts: []\n"),
    "locked passwords": ("etc/shadow", "root:*:19500:0:99999:7:::\nbin:!:19500::::::\n"),
    "a template of an environment": ("app/.env.example", "PASSWORD=\n"),
    "Base64 of a picture": ("app/x.css", "url(" + base64.b64encode(b"\x89PNG" + NOISE).decode() + ")"),
    "Base64 of prose": ("app/x.b64", base64.b64encode(b"All work and no play makes everybody dull.\n" * 5).decode()),
}
_HARMLESS_FILES = {
    "a test's key in a package": ("usr/lib/python3/dist-packages/x/tests/key.pem", pem().encode()),
    "a test's key of a distribution": ("usr/share/x/key.pem", pem().encode()),
    "a test's key in a module of Node": ("app/node_modules/x/key.pem", pem().encode()),
    "a key in a document": ("usr/share/doc/x/html/index.html", pem().encode()),
    "a certificate in DER": ("app/cert.der", CERTIFICATE),
    "trusted certificates of Java": ("etc/ssl/certs/java/cacerts", JKS_TRUST),
    "noise": ("app/noise.bin", random.Random(3).randbytes(300_000)),
    "an archive of data": ("app/data.zip", zipped(("a.csv", b"1,2\n" * 100))),
    "a truncated archive": ("app/cut.tar.gz", gzip.compress(tarred("conf.toml", b"x" * 9000))[:60]),
    "a damaged zip": ("app/bad.zip", b"PK\3\4" + NOISE),
    "a truncated Java keystore": ("app/cut.jks.bin", JKS_TRUST[:20]),
}
_HARMLESS_STARTS: dict[str, dict[str, Any]] = {
    "variables about secrets": {
        "Env": [
            "PASSWORD_FILE=/run/secrets/x",
            "TOKEN=",
            "SECRET_NAME=db",
            "TOKENIZERS_PARALLELISM=false",
            "MAX_TOKENS=4096",
            "GPG_KEY=" + drawn(40, "0123456789ABCDEF"),
            "API_KEY=$KEY",
            "PYTHON_SHA256=" + drawn(64, HEX),
            "PWD=/app",
        ],
    },
    "labels": {
        "Labels": {
            "org.opencontainers.image.revision": drawn(40, HEX),
            "maintainer": "x <x@y.example>",
            "org.opencontainers.image.source": "https://git.example/shop",
        }
    },
    "a command with a port": {"Cmd": ["-p", "8080", "--token-file", "/run/token", "--user", "nobody"]},
    "a health check": {"Healthcheck": {"Test": ["CMD", "curl", "-f", "http://localhost:8080/health"]}},
    "user 65534": {"User": "65534:65534"},
}
_HARMLESS_HISTORY = {
    "curl with a variable": "RUN curl -u $USER:$PASSWORD https://x.example; curl -fsSL -o x https://y.example/z",
    "a mounted secret": "RUN --mount=type=secret,id=token TOKEN=$(cat /run/secrets/token) make # buildkit",
    "an argument without a value": "ARG NPM_TOKEN",
    "a package": "RUN apt-get install -y libsecret-1-0 passwd && docker run -p 8080:80 x",
    "a checksum": f"ENV PYTHON_SHA256={drawn(64, HEX)}",
}

NEAR_MISSES = (
    *(Planted(f"text: {name}", path, text.encode()) for name, (path, text) in _HARMLESS_TEXTS.items()),
    *(Planted(f"file: {name}", *what) for name, what in _HARMLESS_FILES.items()),
    *(Planted(f"configuration: {name}", start=start) for name, start in _HARMLESS_STARTS.items()),
    *(Planted(f"history: {name}", history=command) for name, command in _HARMLESS_HISTORY.items()),
)
