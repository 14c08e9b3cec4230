"""Leaks as people make them, planted in images: a table."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.bad_images import START, file, layer
from tests.support.key_documents import (
    CONFIG,
    DOCKER_AUTH,
    ENCRYPTED,
    HTPASSWD,
    JKS_KEY,
    KUBE_SECRET,
    KUBE_TOKEN,
    KUBECONFIG,
    NOISE,
    PKCS1,
    PKCS8,
    PKCS12,
    PUTTY,
    SEC1,
    SERVICE_ACCOUNT,
    SHADOW,
    TERRAFORM,
    WIREGUARD,
    nested,
    tarred,
    twice_in_zip,
    zipped,
)
from tests.support.made_up_tokens import GITHUB, LETTERS, PASSWORD, TOKENS, drawn, pem
from tests.support.planted_projects import PROJECT_LEAKS
from tests.support.planted_systems import SOURCES_IN_PACKAGES, SYSTEM_LEAKS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEAKS", "Planted"]


@dataclass(frozen=True)
class Planted:
    """An image with one leak in it: in a file, or in its configuration."""

    name: str
    path: str = ""
    data: bytes = b""
    start: Mapping[str, Any] = field(default_factory=dict)
    history: str = ""
    again: bytes | None = None  # the file once more in the same layer

    def __str__(self) -> str:
        return self.name

    def layers(self) -> list[bytes]:
        """The layers of the image."""
        members = [file(self.path, self.data)] if self.path else []
        if self.again is not None:
            members.append(file(self.path, self.again))
        return [layer(file("app/main.txt", b"hello\n"), *members)]

    def configuration(self) -> dict[str, Any]:
        """The configuration of the image."""
        history = [{"created_by": self.history}] if self.history else []
        return {"start": {**START, **self.start}, "history": history}


SOURCE = b"def rebate(price):\n    return price * 0.9\n"
MODULE = f'DB_PASSWORD = "{PASSWORD}"\n'.encode()

_SOURCES = {
    "a module of constants": ("app/settings.py", MODULE),
    "a module of numbers": ("app/prices.py", b"PRICE = 1999\n"),
    "a copy of a module": ("app/pricing.py.bak", SOURCE),
    "what a merge left": ("app/pricing.py.orig", SOURCE),
    "what an editor left": ("app/pricing.py~", SOURCE),
    "what an editor saved": ("app/#pricing.py#", SOURCE),
    "a copy under another name": ("app/pricing.py.txt", SOURCE),
    "a stub": ("app/pricing.pyi", b"def rebate(price: float) -> float: ...\n"),
    "an sdist": ("app/dist/shop-1.0.tar.gz", gzip.compress(tarred("shop-1.0/shop/pricing.py", SOURCE))),
    "an sdist in zip": ("app/dist/shop-1.0.zip", zipped(("shop-1.0/shop/pricing.py", SOURCE))),
    "a compressed module": ("app/pricing.py.gz", gzip.compress(SOURCE)),
    "a wheel": ("app/shop-1.0-py3-none-any.whl", zipped(("shop/pricing.py", SOURCE))),
    "an archive by bzip2": ("app/old.tar.bz2", bz2.compress(tarred("pricing.py", SOURCE))),
    "an archive by xz": ("app/old.tar.xz", lzma.compress(tarred("pricing.py", SOURCE))),
    "a notebook": ("app/prices.ipynb", b'{"cells": []}'),
}
_FILES = {
    "DER (PKCS#8)": ("app/keys/server.der", PKCS8),
    "DER (PKCS#1)": ("app/keys/server.key", PKCS1),
    "DER (SEC 1)": ("app/keys/ec", SEC1),
    "DER, encrypted": ("app/keys/encrypted.bin", ENCRYPTED),
    "PKCS#12 under another name": ("app/keys/store.bin", PKCS12),
    "PKCS#12 by its name": ("app/keys/client.pfx", b"anything"),
    "JKS": ("app/keys/store", JKS_KEY),
    "PuTTY": ("app/keys/login.txt", PUTTY.encode()),
    "PEM": ("app/keys/server.pem", pem().encode()),
    "PEM (RSA)": ("app/keys/rsa.txt", pem("RSA").encode()),
    "PEM (OpenSSH)": ("app/keys/ssh.txt", pem("OPENSSH").encode()),
    "PEM (EC)": ("app/keys/ec.txt", pem("EC", 3).encode()),
    "PEM in JSON": ("app/keys/account.json", json.dumps({"key": pem()}).encode()),
    "PEM with CRLF": ("app/keys/crlf.pem", pem().replace("\n", "\r\n").encode()),
    "a service account": ("app/account.json", SERVICE_ACCOUNT.encode()),
    "kubeconfig elsewhere": ("app/conf/cluster.yaml", KUBECONFIG.encode()),
    "kubeconfig with a token": ("app/conf/admin.conf", KUBE_TOKEN.encode()),
    "Docker's auth elsewhere": ("app/conf/registry.json", DOCKER_AUTH.encode()),
    "Terraform's state": ("app/state/prod.json", TERRAFORM.encode()),
    "Terraform's state by its name": ("app/terraform.tfstate", b"{}"),
    "shadow": ("etc/shadow", SHADOW.encode()),
    "shadow elsewhere": ("app/backup/users", SHADOW.encode()),
    "htpasswd": ("app/conf/users", HTPASSWD.encode()),
    ".my.cnf": ("root/.my.cnf", f"[client]\nuser=root\npassword={PASSWORD}\n".encode()),
    "my.cnf elsewhere": ("app/conf/mysql.cnf", b"[client]\nuser=root\npassword=swordfish\n"),
    ".envrc": ("app/.envrc", b"export A=b\n"),
    "prod.env": ("app/prod.env", b"DB_PASSWORD=x\n"),
    ".env": ("app/.env", b"A=b\n"),
    ".env.production": ("app/.env.production", b"A=b\n"),
    ".netrc": ("root/.netrc", b"machine x login y password z\n"),
    "netrc elsewhere": ("app/conf/login", f"machine host.example login bob password {PASSWORD}\n".encode()),
    ".pgpass": ("root/.pgpass", b"*:*:*:*:x\n"),
    ".pypirc": ("root/.pypirc", b"[pypi]\n"),
    ".npmrc": ("app/.npmrc", b"x=y\n"),
    "id_ed25519": ("root/.ssh/id_ed25519", b"x"),
    "history of a shell": ("root/.bash_history", b"ls\n"),
    "credentials of AWS": ("root/.aws/credentials", b"[default]\n"),
    "WireGuard": ("etc/wireguard/wg0.conf", WIREGUARD.encode()),
    "Kubernetes' secret": ("app/k8s/db.yaml", KUBE_SECRET.encode()),
    "KeePass": ("app/all.db", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + NOISE),
    "direct_url.json with a token": (
        "usr/lib/python3/site-packages/shop-1.0.dist-info/direct_url.json",
        json.dumps({"url": f"https://bob:{GITHUB}@git.example/shop.git", "vcs_info": {"vcs": "git"}}).encode(),
    ),
    "what a server shows": ("usr/share/nginx/html/.env", b"A=b\n"),
    "a working directory in /usr/src": ("usr/src/app/conf.toml", CONFIG),
    "a program in /usr/local": ("usr/local/etc/shop.toml", CONFIG),
    "a private key (JWK)": ("app/conf/jwks.json", json.dumps({"keys": [{"kty": "EC", "d": drawn(43)}]}).encode()),
    "a shared key (JWK)": ("app/conf/jwk.json", json.dumps({"kty": "oct", "k": drawn(43)}).encode()),
    "a keytab": ("etc/krb5.keytab", b"\x05\x02" + NOISE),
    "Rails' key": ("app/config/master.key", drawn(32).encode()),
    "FileZilla's servers": ("app/sitemanager.xml", b"<FileZilla3/>"),
    "a token in a file's name": (f"app/cache/{GITHUB}.json", b"{}"),
    "what a whiteout holds": ("app/.wh.conf.toml", CONFIG),
    "a dependency from no index": ("usr/lib/python3/site-packages/shop/conf.json", json.dumps({"t": GITHUB}).encode()),
}
_TEXTS = {
    "password in YAML": ("app/conf.yaml", f"database:\n  user: shop\n  password: {PASSWORD}\n"),
    "password in YAML, quoted": ("app/conf.yml", f'database:\n  password: "{PASSWORD}"\n'),
    "password in YAML, short": ("app/conf/db.yaml", "db:\n  password: hunter" + "2\n"),
    "password in TOML": ("app/conf.toml", f"[db]\npassword = '{PASSWORD}'\n"),
    "password in INI": ("app/conf.ini", f"[db]\npassword={PASSWORD}\n"),
    "password in JSON": ("app/conf.json", json.dumps({"dbPassword": PASSWORD})),
    "password in XML": ("app/web.config", f'<add key="Password" value="{PASSWORD}" />\n'),
    "password in XML's text": ("app/conf.xml", f"<db><password>{PASSWORD}</password></db>\n".replace("&", "!")),
    "password in properties": ("app/app.properties", f"spring.datasource.password={PASSWORD}\n"),
    "password in Python": ("app/conn.py.txt", f'connect(password="{PASSWORD}")\n'),
    "key in JavaScript": ("app/static/app.js", f'const apiKey = "{drawn(32)}";\n'),
    "secret access key": ("app/aws.conf", "aws_secret_access_" + f"key = {drawn(40, LETTERS + '+/')}\n"),
    "password in YAML, a word": ("app/conf/w.yaml", "password: swordfish\n"),
    "password in TOML, some words": ("app/conf/w.toml", "password = 'correct horse battery staple'\n"),
    "an old key of OpenAI": ("app/conf/ai", f"x = sk-{drawn(48)}\n"),
    "client secret": ("app/oauth.yaml", f"client_secret: {drawn(32)}\n"),
    "export in a script": ("app/start.sh", f"export DB_PASSWORD={PASSWORD.replace('&', '-')}\n"),
    "curl in a script": ("app/fetch.sh", f"curl -H 'Authorization: Bearer {drawn(40)}' https://api.example\n"),
    "basic authentication": (
        "app/call.sh",
        f"curl -H 'Authorization: Basic {base64.b64encode(f'bob:{PASSWORD}'.encode()).decode()}' x\n",
    ),
    "a variable of Kubernetes": ("app/deploy.yaml", f"env:\n  - name: API_TOKEN\n    value: {drawn(32)}\n"),
    "a variable of a task": ("app/task.json", json.dumps([{"name": "DB_PASSWORD", "value": PASSWORD}])),
    "a property of Hadoop": ("app/x.xml", f"<name>fs.secret.key</name>\n<value>{drawn(30)}</value>\n"),
    "an argument of PHP": ("app/wp.php", f"<?php\ndefine( 'AUTH_KEY', '{drawn(40)}' );\n"),
    "a password of LDAP": ("etc/ldap.conf", f"binddn cn=shop\nbindpw {drawn(10)}\n"),
    "a password of Redis": ("app/redis.conf", f"requirepass {drawn(10)}\n"),
    "a script with no suffix": ("app/start", f"#!/bin/sh\nexport API_SECRET={drawn(32)}\n"),
    "curl -u in a script": ("app/hook.sh", f"curl -u admin:{drawn(12)} https://hook.example\n"),
    "a header of nginx": (
        "etc/nginx/conf.d/x.conf",
        f'proxy_set_header Authorization "Basic {base64.b64encode(f"bob:{PASSWORD}".encode()).decode()}";\n',
    ),
    "a user of SQL": ("app/init.sql", f"CREATE USER shop WITH PASSWORD '{drawn(9)}';\n"),
    "a grant of SQL": ("app/grant.sql", f"GRANT ALL ON *.* TO shop IDENTIFIED BY '{drawn(9)}';\n"),
    "a variable of a Dockerfile": ("app/Dockerfile", f"FROM x\nENV DB_PASSWORD {drawn(9)}\n"),
    "a command in CI": ("app/.gitlab-ci.yml", f"x:\n  script:\n    - mysql -uroot -p{drawn(9)} < x.sql\n"),
    "a connection string in code": ("app/X.cs", f'new Sql("Server=db;Uid=shop;Pwd={drawn(9)};");\n'),
    "a constant of Swift": ("app/x.swift", f'let accessToken: String = "{drawn(40)}"\n'),
    "a header with name and value apart": (
        "app/x.json",
        json.dumps({"name": "Authorization", "value": f"Bearer {drawn(40)}"}),
    ),
    "settings with no suffix": ("etc/smbcredentials", f"username=shop\npassword={drawn(9)}\n"),
    "a key of a wireless network": ("etc/wifi/x", f"[wifi-security]\npsk={drawn(9)}\n"),
    "a password of HAProxy": ("etc/haproxy.cfg", f"userlist x\n  user shop insecure-password {drawn(9)}\n"),
    "hashes in a list": ("etc/traefik.toml", f'users = ["shop:$apr1${drawn(8)}${drawn(22)}"]\n'),
    "URL of PostgreSQL": ("app/db.txt", f"postgresql://shop:{drawn(12)}@db.internal:5432/shop\n"),
    "URL of Redis": ("app/cache.yaml", f"url: redis://:{drawn(12)}@cache.internal:6379/0\n"),
    "URL of MongoDB": ("app/mongo.json", json.dumps({"uri": f"mongodb+srv://shop:{drawn(14)}@c.internal/x"})),
    "URL of AMQP": ("app/mq.toml", f"broker = 'amqp://shop:{drawn(14)}@mq.internal//'\n"),
    "URL of a proxy": (
        "etc/apt/apt.conf.d/proxy",
        f'Acquire::http::Proxy "http://bob:{drawn(10)}@proxy.internal:3128";\n',
    ),
    "pip.conf": ("etc/pip.conf", f"[global]\nindex-url = https://{drawn(20)}@pypi.internal/simple\n"),
    "requirements.txt": ("app/requirements.txt", f"--index-url https://bob:{drawn(10)}@pypi.internal/simple\nx\n"),
    "pgpass elsewhere": ("app/conf/pg", f"db.internal:5432:shop:shop:{drawn(12)}\n"),
    "compose file": (
        "app/compose.yaml",
        f"services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD={drawn(14)}\n",
    ),
}
_PACKED = {
    "zip": ("app/a.zip", zipped(("conf.toml", CONFIG))),
    "tar.gz": ("app/a.tar.gz", gzip.compress(tarred("conf.toml", CONFIG))),
    "tar": ("app/a.tar", tarred("conf.toml", CONFIG)),
    "gz": ("app/conf.toml.gz", gzip.compress(CONFIG)),
    "bz2": ("app/conf.toml.bz2", bz2.compress(CONFIG)),
    "xz": ("app/conf.toml.xz", lzma.compress(CONFIG)),
    "Base64": ("app/conf.b64", base64.b64encode(CONFIG)),
    "Base64 in lines": ("app/conf.txt", base64.encodebytes(CONFIG * 4)),
    "Base64, short": ("app/short.yaml", b"x: " + base64.b64encode(b"password=hunter" + b"2!") + b"\n"),
    "Base64 behind an equals sign": ("app/x.conf", b"blob=" + base64.b64encode(b'{"password": "hunter' + b'2!"}')),
    "a URL in a pickle": ("app/x.pkl", pickle.dumps({"url": f"postgres://shop:{drawn(12)}@db.internal/x"})),
    "Base64 in YAML": ("app/values.yaml", b"blob: " + base64.b64encode(pem().encode()) + b"\n"),
    "Base64 of an archive": (
        "app/blob.json",
        b'{"x": "' + base64.b64encode(gzip.compress(CONFIG)) + b'"}',
    ),
    "UTF-16": ("app/conf.reg", CONFIG.decode().encode("utf-16")),
    "UTF-16 without a mark": ("app/conf.txt", CONFIG.decode().encode("utf-16-le")),
    "UTF-16, high byte first": ("app/conf.txt", CONFIG.decode().encode("utf-16-be")),
    "beyond the first 256 kB": ("app/large.log", b"all is well here\n" * 30_000 + CONFIG),
    "across 256 kB": ("app/large.txt", b"-" * ((1 << 18) - 30) + b"\n" + CONFIG),
    "a name in an archive": ("app/site.zip", zipped(("site/.env", b"A=b\n"))),
    "the first of two entries of a zip": ("app/two.zip", twice_in_zip()),
    "three deep": ("app/deep.tgz", nested()),
    "an archive without a suffix": ("app/data/blob", gzip.compress(tarred("conf.toml", CONFIG))),
    "behind other data": ("app/data.bin", NOISE * 500 + b"\0" + CONFIG),
}
_STARTS: dict[str, dict[str, Any]] = {
    "user 00": {"User": "00"},
    "user +0": {"User": "+0"},
    "user 0 with a group": {"User": "000:1000"},
    "PGPASSWORD": {"Env": ["PGPASSWORD=hunter2"]},
    "a variable in camel case": {"Env": ["dbPassword=hunter2"]},
    "a variable of Spring": {"Env": ["SPRING_DATASOURCE_PASSWORD=x1"]},
    "a URL in a variable": {"Env": [f"DATABASE_URL=postgres://shop:{drawn(10)}@db/shop"]},
    "a token in a variable": {"Env": [f"SETTING={GITHUB}"]},
    "a label": {"Labels": {"deploy.token": drawn(30)}},
    "a label with a URL": {"Labels": {"org.opencontainers.image.source": f"https://bob:{drawn(20)}@git.example/shop"}},
    "Cmd": {"Cmd": ["--password", "hunter2"]},
    "Cmd with a value": {"Cmd": ["--db-password=hunter2"]},
    "Entrypoint": {"Entrypoint": ["/bin/shop", "--api-token", drawn(20)]},
    "Healthcheck": {"Healthcheck": {"Test": ["CMD-SHELL", f"curl -u admin:{drawn(10)} http://localhost/health"]}},
    "OnBuild": {"OnBuild": ["ENV NPM_TOKEN=" + drawn(20)]},
    "Base64 in a variable": {"Env": ["CONF=" + base64.b64encode(CONFIG).decode()]},
    "a document in a variable": {"Env": ["CONF=" + json.dumps({"password": PASSWORD})]},
    "a header in a variable": {"Env": ["HEADER=Basic " + base64.b64encode(f"bob:{PASSWORD}".encode()).decode()]},
    "a password of a server": {"Cmd": ["redis-server", "--requirepass", drawn(9)]},
    "a variable of redis-cli": {"Env": ["REDISCLI_AUTH=" + drawn(20)]},
    "a URL in Cmd": {"Cmd": [f"redis://:{drawn(12)}@cache:6379"]},
}
_HISTORY = {
    "curl -u": f"RUN curl -u bob:{drawn(12)} https://files.example/x",
    "curl --user": f'RUN /bin/sh -c curl --user "bob:{drawn(12)}" https://files.example/x',
    "Bearer": f"RUN curl -H 'Authorization: Bearer {drawn(40)}' https://api.example",
    "an argument of the build": f"RUN |1 PIP_TOKEN={drawn(8)} /bin/sh -c pip install x",
    "git clone": f"RUN git clone https://bob:{drawn(20)}@git.example/shop.git",
    "git clone with a token alone": f"RUN git clone https://{GITHUB}@github.com/x/shop.git",
    "export": f"RUN export DB_PASSWORD={drawn(9)} && make",
    "docker login": f"RUN docker login -u bob -p {drawn(12)} registry.example",
    "sshpass": f"RUN sshpass -p {drawn(9)} scp x y:",
    "mysql": f"RUN mysql -u root -p{drawn(9)} shop",
    "pip's index": f"RUN pip install --index-url https://bob:{drawn(9)}@pypi.internal/simple x",
    "chpasswd": f"RUN echo 'root:{drawn(9)}' | chpasswd",
    "htpasswd": f"RUN htpasswd -bc /etc/users admin {drawn(9)}",
    "mysqladmin": f"RUN mysqladmin -u root password {drawn(9)}",
    "useradd": f"RUN useradd -p '$6${drawn(16)}${drawn(86)}' bob",
    "aws configure": f"RUN aws configure set aws_secret_access_key {drawn(40)}",
    "npm config": f"RUN npm config set //registry.npmjs.org/:_authToken {drawn(36)}",
    "netrc": f"RUN echo 'machine x login bob password {drawn(9)}' > ~/.netrc && make && rm ~/.netrc",
    "twine": f"RUN twine upload -u bob --password {drawn(12)} dist/x",
}

LEAKS = (
    *(Planted(f"source: {name}", *what) for name, what in _SOURCES.items()),
    *(Planted(f"token: {name}", "app/conf.toml", f"value = '{token}'\n".encode()) for name, token in TOKENS.items()),
    *(Planted(f"file: {name}", *what) for name, what in _FILES.items()),
    *(Planted(f"source in {name}", *what) for name, what in SOURCES_IN_PACKAGES.items()),
    *(Planted(f"system: {name}", *what) for name, what in SYSTEM_LEAKS.items()),
    *(Planted(f"project: {name}", *what) for name, what in PROJECT_LEAKS.items()),
    *(Planted(f"text: {name}", path, text.encode()) for name, (path, text) in _TEXTS.items()),
    *(Planted(f"packed: {name}", *what) for name, what in _PACKED.items()),
    Planted("packed: the first of two entries of a layer", "app/conf.toml", CONFIG, again=b"nothing\n"),
    *(Planted(f"configuration: {name}", start=start) for name, start in _STARTS.items()),
    *(Planted(f"history: {name}", history=command) for name, command in _HISTORY.items()),
)
