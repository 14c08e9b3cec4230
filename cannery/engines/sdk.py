"""Docker and Podman through the docker SDK: Podman's service speaks Docker's API, too (Engine API v1.40)."""

from __future__ import annotations

import io
import itertools
import time
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import requests
from docker import APIClient
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env, parse_repository_tag

from cannery.engines.engine import Container, Job, StoredImage, Usage
from cannery.engines.job import container_request
from cannery.engines.present import image_id, names_of, prefixed
from cannery.errors import ImageError, MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from docker.tls import TLSConfig

    from cannery.engines.endpoints import Endpoint
    from cannery.engines.finding import Answer
    from cannery.model import Image

__all__ = ["SdkEngine", "client_for", "version_of"]

_OWN_HISTORY: Final = "cannery: "  # as cannery.image.config begins each line of an image's history
_ATTEMPTS: Final = 5  # to remove a container
_MOMENT: Final = 0.2  # seconds between them
_PATIENCE: Final = 600  # seconds without a byte: an engine that unpacks a large layer is silent for long


class SdkEngine:
    """An engine that answers."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.name = str(answer)

    @cached_property
    def client(self) -> APIClient:
        """The SDK's client, connected when it's first needed."""
        with self._translated():
            return client_for(self._answer.endpoint, timeout=_PATIENCE)

    def has(self, image: Image, references: Sequence[str]) -> bool:
        """Whether ``image`` is there; if so, ``references`` name it from now on."""
        names = names_of(image)
        unnamed = [reference for reference in references if self.id_of(reference) not in names]
        present = next(filter(self.id_of, names), None) if unnamed else None
        for reference in unnamed if present else ():
            self._tag(str(present), reference)
        return not unnamed or present is not None

    def shared(self, image: Image, reference: str) -> int:
        """How many of the lowest layers of ``image`` need not be sent, as the image called ``reference`` has them.

        Docker finds layers by what they hold before it looks for them in what it's sent; Podman wants all of them.
        """
        if self._answer.engine != "Docker" or self.id_of(reference) is None:
            return 0
        with self._translated():
            there = self.client.inspect_image(reference)["RootFS"].get("Layers") or []
        pairs = zip(image.layers, there, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: str(pair[0].diff_id) == pair[1], pairs))

    def load(self, image: Image, archive: Path, references: Sequence[str]) -> None:
        """Send ``archive``, which holds ``image``.

        Raises :class:`ImageError` where ``references`` name another one after that.
        """
        with self._translated(), archive.open("rb") as stream:
            for message in self.client.load_image(stream):
                if error := message.get("error"):
                    raise MachineError(f"{self.name} cannot load the image", evidence=error, step=_advice(error))
        for reference in references:
            if (found := self.id_of(reference)) not in names_of(image):
                raise ImageError(
                    f"{self.name} has another image as {reference} than the one that it was sent",
                    evidence=f"{found or 'none'} instead of {image.id}",
                    step="something else may have tagged an image meanwhile: try again",
                )

    def run(self, job: Job) -> int:
        """Run a container on this process's terminal or streams, remove it, and return its exit code."""
        from cannery.engines.attached import run_attached  # noqa: PLC0415  # terminals are a Unix matter

        with self._translated():
            request = container_request(job, local=self._local)
            container: str = self.client.create_container_from_config(request.config, request.name)["Id"]
            try:
                return run_attached(self.client, container, tty=request.tty)
            finally:
                remove_container(self.client, container)

    @property
    def architecture(self) -> str:
        """What its containers run on, by Go's name."""
        with self._translated():
            return str(self.client.version()["Arch"])

    def create(self, job: Job) -> str:
        """Make a container that waits in the background once it's started, gone when it's stopped; return its ID."""
        request = container_request(job, local=self._local, waiting=True)
        with self._translated():
            return str(self.client.create_container_from_config(request.config, request.name)["Id"])

    def put(self, container: str, archive: Path) -> None:
        """Unpack an archive, which may be compressed, over the root of a container."""
        with self._translated(), archive.open("rb") as stream:
            self.client.put_archive(container, "/", stream)

    def start(self, container: str) -> None:
        """Start a container."""
        with self._translated():
            self.client.start(container)

    def enter(self, container: str, command: Sequence[str]) -> int:
        """Run a command in a running container, on this process's terminal; return its exit code."""
        from cannery.engines.attached import exec_attached  # noqa: PLC0415

        with self._translated():
            return exec_attached(self.client, container, command)

    def has_file(self, container: str, paths: Sequence[str]) -> str | None:
        """The first of ``paths`` that a container has; it needn't run."""
        with self._translated():
            return next((path for path in paths if self._contains(container, path)), None)

    @contextmanager
    def save(self, image: str) -> Iterator[BinaryIO]:
        """A stream of the archive that ``docker save`` writes of ``image``."""
        with self._translated():
            chunks = self.client.get_image(image)
        try:
            yield io.BufferedReader(_Chunks(chunks, self.name))
        finally:
            chunks.close()

    def config(self, image: str) -> Mapping[str, object]:
        """How containers of ``image`` start (the "config" part of OCI image-spec v1.1, config.md)."""
        with self._translated():
            return dict(self.client.inspect_image(image)["Config"])

    def containers(self, *, label: str | None = None, sizes: bool = False) -> tuple[Container, ...]:
        """The containers, running or not."""
        filters = {"label": label} if label else {}
        with self._translated():
            return tuple(map(_container, self.client.containers(all=True, size=sizes, filters=filters)))

    def images(self, *, label: str | None = None, everything: bool = False) -> tuple[StoredImage, ...]:
        """The images; ``everything`` includes those that only other images need."""
        filters = {"label": label} if label else {}
        with self._translated():
            return tuple(map(_stored_image, self.client.images(all=everything, filters=filters)))

    def built_here(self, image: str) -> bool:
        """Whether cannery made the image's last layer: an image that others build from ours has our labels, too."""
        with self._translated():
            return any(str(step["CreatedBy"]).startswith(_OWN_HISTORY) for step in self._history(image)[:1])

    def usage(self, images: Sequence[StoredImage]) -> Usage:
        """What ``images`` take."""
        with self._translated():
            return Usage({image.id: self._layers(image.id) for image in images})

    def stop(self, container: str) -> None:
        """Stop a container: its stop signal, then ten seconds later the end."""
        with self._translated():
            self.client.stop(container, timeout=10)

    def remove_container(self, container: str) -> None:
        """Remove a container, with the volumes that have no name; it may run, or be gone already."""
        with self._translated():
            remove_container(self.client, container)

    def remove_image(self, image: str) -> None:
        """Remove an image by its ID or reference; one that a container uses is refused."""
        with self._translated():
            self.client.remove_image(image)

    def build_cache(self) -> int:
        """Bytes that builds of the engine's own keep and nothing uses."""
        with self._translated():
            records = self.client.df().get("BuildCache") or ()
        return sum(record["Size"] for record in records if not record["InUse"])

    def prune_rest(self) -> int:
        """Remove networks that nothing uses, and what builds keep; return the bytes that came free."""
        with self._translated():
            self.client.prune_networks()
            try:
                return int(self.client.prune_builds().get("SpaceReclaimed") or 0)
            except NotFound:
                return 0  # Podman keeps no builds

    @property
    def _local(self) -> bool:
        return self._answer.endpoint.local

    def _translated(self) -> Any:
        return translated(self.name)

    def id_of(self, name: str) -> str | None:
        """The ID of the image of that name, if the engine has it; asked without the client where that's possible."""
        if (socket := self._answer.endpoint.socket) is not None:
            with self._translated():
                return image_id(socket, name)
        try:
            return prefixed(self.client.inspect_image(name)["Id"])
        except NotFound:
            return None

    def _tag(self, image: str, reference: str) -> None:
        repository, tag = parse_repository_tag(reference)
        with self._translated():
            self.client.tag(image, repository, tag)

    def _contains(self, container: str, path: str) -> bool:
        try:
            stream, _ = self.client.get_archive(container, path)
        except NotFound:
            return False
        stream.close()
        return True

    def _history(self, image: str) -> list[dict[str, Any]]:
        """How the image came about, the last step first; nothing where Podman stumbles over a step without a time."""
        try:
            return list(self.client.history(image))
        except APIError as error:
            if "nil pointer" not in str(error.explanation):
                raise
            return []

    def _layers(self, image: str) -> tuple[tuple[str, int], ...]:
        """The image's layers with their sizes, each named by itself and those below."""
        diff_ids = self.client.inspect_image(image)["RootFS"].get("Layers") or []
        sizes = [step["Size"] for step in reversed(self._history(image))]
        sizes = sizes if len(sizes) == len(diff_ids) else [size for size in sizes if size]
        names = ["/".join(diff_ids[: number + 1]) for number in range(len(diff_ids))]
        return tuple(zip(names, sizes, strict=False))


def client_for(endpoint: Endpoint, *, timeout: int) -> APIClient:
    """A client of the SDK, with the certificates that the environment or the context names."""
    tls: TLSConfig | bool = False
    address = endpoint.address
    if endpoint.socket is not None:
        address = f"unix://{endpoint.socket}"
    elif endpoint.context is not None and (context := ContextAPI.get_context(endpoint.context)) is not None:
        tls = context.TLSConfig
    elif endpoint.source == "DOCKER_HOST":
        settings = kwargs_from_env()
        address, tls = settings.get("base_url", address), settings.get("tls", False)
    return _Client(address, version="auto", timeout=timeout, tls=tls)


def version_of(endpoint: Endpoint, *, timeout: int) -> Any:
    """What an engine says of itself; raises :class:`ConnectionError` with what the SDK says where none answers."""
    try:
        client = client_for(endpoint, timeout=timeout)
    except (DockerException, requests.RequestException) as error:
        hint = (
            "; it wants certificates: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
            if "HTTPS server" in str(error)
            else ""
        )
        raise ConnectionError(f"{error}{hint}") from error
    with closing(client):
        return client.version()


class _Client(APIClient):
    """The SDK's client; certificates that an engine was named with aren't beaten by ``REQUESTS_CA_BUNDLE``."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As requests does it, but for the variable that it prefers to the session's own (psf/requests #3829)."""
        verify = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def remove_container(client: APIClient, container: str) -> None:
    """Remove a container that may run, or be gone or going already."""
    for attempt in range(_ATTEMPTS):
        try:
            client.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code == requests.codes.conflict:  # the engine is removing it
                return
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_MOMENT)  # Podman fails to end what ends by itself at that moment
        else:
            return


class _Chunks(io.RawIOBase):
    """What an engine sends, as a stream."""

    def __init__(self, chunks: Iterator[bytes], engine: str) -> None:
        self._chunks = chunks
        self._engine = engine
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # whatever takes bytes
        with translated(self._engine):
            while not self._left and (chunk := next(self._chunks, None)) is not None:
                self._left = chunk
        data, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(data)] = data
        return len(data)


@contextmanager
def translated(engine: str) -> Iterator[None]:
    """Turn what the SDK raises into a :class:`MachineError` in the engine's own words."""
    try:
        yield
    except BrokenPipeError:
        raise  # who reads this process's output has seen enough: the SDK's own errors are of other kinds
    except APIError as error:
        said = str(error.explanation or error)
        raise MachineError(f"{engine} refuses", evidence=said, step=_advice(said)) from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise MachineError(
            f"{engine} is gone", evidence=str(error), step="look whether it still runs, and try again"
        ) from error


def _advice(said: str) -> str:
    if "no space left" in said:
        return "free space where the engine keeps its images: cannery prune shows what can go"
    if "port is already allocated" in said or "address already in use" in said:
        return "stop what listens on that port (cannery ps shows what cannery started)"
    if "toomanyrequests" in said or ("not found" in said and "executable" in said):
        return "look at the image: cannery explore"
    return ""


def _container(found: Mapping[str, Any]) -> Container:
    return Container(
        id=found["Id"],
        name=(found.get("Names") or [""])[0].lstrip("/"),
        image=found["Image"],
        image_id=prefixed(found["ImageID"]),
        state=found["State"],
        status=found.get("Status") or found["State"],
        ports=tuple(map(_port, found.get("Ports") or ())),
        labels=found.get("Labels") or {},
        size=found.get("SizeRw") or 0,
    )


def _port(port: Mapping[str, Any]) -> str:
    inside = f"{port['PrivatePort']}/{port['Type']}"
    return f"{port.get('IP', '')}:{port['PublicPort']}->{inside}" if port.get("PublicPort") else inside


def _stored_image(found: Mapping[str, Any]) -> StoredImage:
    references = tuple(name for name in found.get("RepoTags") or () if name != "<none>:<none>")
    return StoredImage(prefixed(found["Id"]), references, found["Size"], found.get("Labels") or {})
