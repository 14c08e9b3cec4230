"""A registry that takes images and is strict about it, and behaves in each awkward way that registries are known for.

What it takes is checked as the specification has it (OCI distribution-spec v1.1, pushing blobs): an upload's address
holds until the next answer, chunks follow one another, blobs have their digests, and manifests only what is there.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

__all__ = ["AwkwardRegistry", "serving"]

_PATH = re.compile(r"/v2/(?P<repository>.+?)/(?P<what>blobs/uploads|blobs|manifests|referrers)/?(?P<rest>[^/]*)$")


@dataclass
class AwkwardRegistry:
    """What it has and how it behaves; each awkward way is off at first."""

    address: str = ""
    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict)  # repository -> digest -> bytes
    manifests: dict[str, dict[str, bytes]] = field(default_factory=dict)  # repository -> tag or digest -> bytes
    requests: list[tuple[str, str]] = field(default_factory=list)  # method and path

    relative: bool = False  # an upload's address has no host
    plain_address: bool = False  # an upload's address has no query
    patch_status: int = 202
    largest_body: int | None = None
    smallest_chunk: int | None = None
    mounts: bool = True
    failures: list[int] = field(default_factory=list)  # statuses of the next requests with a body
    tokens_last: int | None = None  # requests; None: nobody is asked
    challenges_reads: bool = True
    moves_uploads_to: str = ""  # the host that uploads are redirected to
    uploads_at: str = ""  # the host that an upload's address has, another than the registry's
    lies: bool = False  # about the digests of what it has
    cut: random.Random | None = None  # says when to end a connection in the middle of a body
    full: bool = False
    deletes: bool = True
    artifacts: bool = True
    fixed_tags: bool = False
    referrers: bool = False
    forgets: int = 0  # how many of the next indexes that are written by a tag somebody else writes anew at once

    _uploads: dict[str, tuple[str, bytearray]] = field(default_factory=dict)  # state -> repository, bytes
    _states: Iterator[int] = field(default_factory=itertools.count)
    _tokens: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str, part: str) -> int:
        """How many requests of ``method`` had ``part`` in their path."""
        return sum(1 for each, path in self.requests if each == method and part in path)

    def is_whole(self, repository: str, tag: str) -> bool:
        """True if the image that ``tag`` leads to has all of its blobs."""
        manifest = json.loads(self.manifests[repository][tag])
        return all(each["digest"] in self.blobs[repository] for each in (manifest["config"], *manifest["layers"]))

    def location(self, repository: str, content: bytearray) -> str:
        """The address of the next part of an upload; those before it hold no longer."""
        state = f"{next(self._states)}%2Bx%3D="  # signed, so that no letter of it may be spelt otherwise
        self._uploads[state] = (repository, content)
        path = f"/v2/{repository}/blobs/uploads/"
        path += state.replace("%", "~").replace("=", "") if self.plain_address else f"part?_state={state}"
        if self.plain_address:
            self._uploads[state.replace("%", "~").replace("=", "")] = self._uploads[state]
        return path if self.relative else f"http://{self.uploads_at or self.address}{path}"

    def upload(self, state: str) -> tuple[str, bytearray] | None:
        """The upload at an address, which is used up."""
        return self._uploads.pop(state, None)

    def token(self) -> str:
        """A new token."""
        token = f"token-{len(self._tokens)}"
        self._tokens[token] = 0
        return token

    def lets_in(self, header: str) -> bool:
        """True if the token of a request is good, which is counted."""
        token = header.removeprefix("Bearer ")
        if token not in self._tokens or self._tokens[token] >= (self.tokens_last or 0):
            return False
        self._tokens[token] += 1
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: AwkwardRegistry

    def _handle(self) -> None:  # noqa: PLR0911  # an answer each
        registry = self.registry
        registry.requests.append((self.command, self.path))
        if self.path.startswith("/token"):
            return self._answer(200, body=json.dumps({"token": registry.token()}).encode())
        body = self._body()
        if body is None:
            return None
        found = _PATH.match(urlsplit(self.path).path)
        if found is None:
            return self._answer(404)
        if registry.moves_uploads_to and self.command in {"PUT", "PATCH"} and "blobs/uploads" in self.path:
            if registry.moves_uploads_to != self.headers["Host"]:
                return self._answer(307, {"Location": f"http://{registry.moves_uploads_to}{self.path}"})
            assert "Authorization" not in self.headers
        elif self._asks_who() and not registry.lets_in(self.headers.get("Authorization", "")):
            scope = f"repository:{found['repository']}:{'pull' if self.command in {'GET', 'HEAD'} else 'pull,push'}"
            challenge = f'Bearer realm="http://{registry.address}/token",service="x",scope="{scope}"'
            return self._answer(401, {"WWW-Authenticate": challenge})
        if self.command in {"PUT", "PATCH"} and registry.failures:
            return self._answer(registry.failures.pop(0), {"Retry-After": "0"})
        answers = {
            "blobs/uploads": self._upload,
            "blobs": self._blob,
            "manifests": self._manifest,
            "referrers": self._referrers,
        }
        with registry._lock:  # noqa: SLF001
            answer = self._delete if self.command == "DELETE" else answers[found["what"]]
            return answer(found["repository"], found["rest"], body)

    def _delete(self, repository: str, name: str, _: bytes) -> None:
        if not self.registry.deletes:
            return self._answer(405, body=b'{"errors": [{"code": "UNSUPPORTED"}]}')
        for kept in (self.registry.blobs, self.registry.manifests):
            data = kept.get(repository, {}).pop(name, None)
            for tag in [tag for tag, other in kept.get(repository, {}).items() if other == data]:
                del kept[repository][tag]
        return self._answer(202)

    def _referrers(self, repository: str, digest: str, _: bytes) -> None:
        if not self.registry.referrers:
            return self._answer(404)
        found = {version: json.loads(data) for version, data in self.registry.manifests[repository].items()}
        referring = [
            {"digest": version, "artifactType": manifest.get("artifactType")}
            for version, manifest in found.items()
            if manifest.get("subject", {}).get("digest") == digest
        ]
        page = parse_qsl(urlsplit(self.path).query)
        number = int(dict(page).get("page", "0"))
        more = {"Link": f"</v2/{repository}/referrers/{digest}?page={number + 1}>; rel=next"}
        last = number + 1 >= len(referring)
        body = json.dumps({"manifests": referring[number : number + 1]}).encode()
        return self._answer(200, {} if last else more, body)

    def _asks_who(self) -> bool:
        registry = self.registry
        return registry.tokens_last is not None and (registry.challenges_reads or self.command not in {"GET", "HEAD"})

    def _body(self) -> bytes | None:
        """The body of a request; None where it's cut off, or too large, which is answered."""
        registry, length = self.registry, int(self.headers.get("Content-Length") or 0)
        if registry.largest_body is not None and length > registry.largest_body:
            self.close_connection = True
            self.rfile.read(length)
            self._answer(413)
            return None
        if registry.cut is not None and length > 1000 and registry.cut.random() < 0.5:
            self.rfile.read(registry.cut.randrange(length))
            self.close_connection = True
            self.connection.close()
            return None
        return self.rfile.read(length)

    def _upload(self, repository: str, state: str, body: bytes) -> None:  # noqa: PLR0911  # an answer each
        registry, query = self.registry, dict(parse_qsl(urlsplit(self.path).query))
        if self.command == "POST":
            if "mount" in query and registry.mounts and query["mount"] in registry.blobs.get(query["from"], {}):
                registry.blobs.setdefault(repository, {})[query["mount"]] = registry.blobs[query["from"]][
                    query["mount"]
                ]
                return self._answer(201, {"Location": "/x"})
            return self._answer(202, {"Location": registry.location(repository, bytearray())})
        raw = re.search(r"_state=([^&]*)", self.path)
        upload = registry.upload(raw[1] if raw else state)
        if upload is None:
            return self._answer(404, body=b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}')
        content = upload[1]
        if self.command == "PATCH":
            start, end = map(int, self.headers["Content-Range"].split("-"))
            if start != len(content) or end - start + 1 != len(body):
                return self._answer(416)
            content += body
            return self._answer(registry.patch_status, {"Location": registry.location(repository, content)})
        if registry.full:
            return self._answer(507, body=b'{"errors": [{"code": "DENIED", "message": "quota exceeded"}]}')
        content += body
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if query["digest"] != digest:
            return self._answer(400, body=b'{"errors": [{"code": "DIGEST_INVALID"}]}')
        registry.blobs.setdefault(repository, {})[digest] = bytes(content)
        return self._answer(201, {"Docker-Content-Digest": f"sha256:{'0' * 64}" if registry.lies else digest})

    def _blob(self, repository: str, digest: str, _: bytes) -> None:
        data = self.registry.blobs.get(repository, {}).get(digest)
        return self._answer(404) if data is None else self._answer(200, body=data)

    def _manifest(self, repository: str, version: str, body: bytes) -> None:
        registry = self.registry
        if self.command != "PUT":
            data = registry.manifests.get(repository, {}).get(version)
            if data is None:
                return self._answer(404)
            return self._answer(200, {"Docker-Content-Digest": f"sha256:{hashlib.sha256(data).hexdigest()}"}, data)
        manifest = json.loads(body)
        lacking = [
            each["digest"]
            for each in (*filter(None, [manifest.get("config")]), *manifest.get("layers", ()))
            if each["digest"] not in registry.blobs.get(repository, {})
        ]
        lacking += [
            each["digest"]
            for each in manifest.get("manifests", ())
            if each["digest"] not in registry.manifests.get(repository, {})
        ]
        if lacking:
            return self._answer(400, body=b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}')
        kept, digest = registry.manifests.setdefault(repository, {}), f"sha256:{hashlib.sha256(body).hexdigest()}"
        if "artifactType" in manifest and not registry.artifacts:
            return self._answer(415, body=b'{"errors": [{"code": "MANIFEST_INVALID"}]}')
        if registry.fixed_tags and kept.get(version, body) != body:
            return self._answer(409, body=b'{"errors": [{"code": "TAG_INVALID", "message": "the tag is immutable"}]}')
        kept[version] = kept[digest] = body
        if registry.forgets and "manifests" in manifest and version != digest:
            registry.forgets -= 1
            kept[version] = json.dumps({**manifest, "manifests": manifest["manifests"][:-1]}).encode()
        subject = manifest.get("subject", {}).get("digest") if registry.referrers else None
        noted = {"OCI-Subject": subject} if subject else {}
        return self._answer(201, {"Docker-Content-Digest": digest, **noted})

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle(self) -> None:
        """As it is, less a complaint about connections that were cut."""
        with suppress(ConnectionError, ValueError):
            super().handle()

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _handle  # noqa: N815  # names that http.server asks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(registry: AwkwardRegistry) -> Iterator[AwkwardRegistry]:
    """``registry`` at a port of this machine, for as long as the block lasts."""
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    registry.address = registry.address or f"127.0.0.1:{server.server_port}"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
