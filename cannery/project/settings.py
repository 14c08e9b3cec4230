"""``[tool.cannery]``: every setting, its type and its default."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from cannery.containers.limits import Limits
from cannery.errors import ConfigurationError

__all__ = [
    "NOBODY",
    "AuditSettings",
    "CythonSettings",
    "ExportSettings",
    "OnefileSettings",
    "PartOfName",
    "Settings",
    "SizesSettings",
    "StaticSettings",
    "TinySettings",
]


_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PLATFORM = r"[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9]+)?"
_TO_65535 = r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"

# The descriptions say what a value must be, where one is wrong.
ImageName = Annotated[  # [REGISTRY/]REPOSITORY (OCI distribution-spec v1.1, pulling manifests)
    str,
    msgspec.Meta(
        pattern=rf"^(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?{_COMPONENT}(?:/{_COMPONENT})*\Z",
        max_length=255,
        description='a name of an image in small letters: "app", "team/app", "registry.example.com/team/app"',
    ),
]
RepositoryName = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^(?:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?/)?{_COMPONENT}(?:/{_COMPONENT})*\Z",
        description='a repository of a registry, without a tag: "ghcr.io/team/app"',
    ),
]
Tag = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z",
        description='a tag of letters, digits, ".", "_" and "-", at most 128: "latest", "1.0"',
    ),
]
ModuleName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\W\d]\w*(?:\.[^\W\d]\w*)*\Z",
        description='a name of a module, as import has it: "package", "package.module"',
    ),
]
VariableName = Annotated[str, msgspec.Meta(pattern=r"^[^=\0]+\Z", description='a name of a variable, which has no "="')]
Port = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^(?:(?:(?:[0-9.]+|\[[0-9a-f:]+\]):)?{_TO_65535}:)?{_TO_65535}(?:/(?:tcp|udp))?\Z",
        description='a port from 1 to 65535, behind that of the machine if it is another: "8000", "18000:8000"',
    ),
]
HealthAddress = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^(?:http://[A-Za-z0-9.-]*)?(?::{_TO_65535})?/[!-~]*\Z",
        description='a path of the program: "/health", ":8000/health", "http://shop.example:8000/health"',
    ),
]
ImageFolder = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?!/(?:proc|sys|dev)(?:/|\Z))(?:/(?!\.{0,2}(?:/|\Z))[^/\0]+)+/?\Z",
        description='an absolute path in the image, outside /proc, /sys and /dev, without "..": "/var/lib/app"',
    ),
]
Allowed = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^CAN[0-9]{3}(?::/.*)?\Z", description='a rule, or one for a path: "CAN501", "CAN102:/app/main.pyc"'
    ),
]
PlatformNames = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^{_PLATFORM}(?:,{_PLATFORM})*\Z",
        description='platforms as OCI names them: "linux/amd64", or "linux/amd64,linux/arm64"',
    ),
]
PackageName = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9+.-]+\Z", description='a name of a package, as Debian has it: "libpq5"')
]
ArchiveName = Literal["debian", "debian-security", "debian-snapshot", "ubuntu", "ubuntu-ports"]
_SIGNALS = (  # of Linux (signal(7)), but for those of real time
    "HUP|INT|QUIT|ILL|TRAP|ABRT|IOT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU"
    "|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS"
)
SignalName = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^SIG(?:{_SIGNALS}|RTMIN(?:\+\d{{1,2}})?|RTMAX(?:-\d{{1,2}})?)\Z",
        description='a name of a signal of Linux: "SIGTERM", "SIGINT"',
    ),
]
Size = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]*(?:kB|MB|GB)\Z", description='a size: "256MB", "2GB"')]
CacheSize = Annotated[
    str, msgspec.Meta(pattern=r"^(?:[1-9][0-9]*(?:kB|MB|GB)|none)\Z", description='a size, or "none": "5GB", "500MB"')
]
Filled = Annotated[str, msgspec.Meta(min_length=1)]
PartOfName = Annotated[  # of the folder with a project's metadata
    str, msgspec.Meta(pattern=r"^[^/\x00-\x1f\x7f]+\Z", description='a text that names of files may have: no "/"')
]
CommandName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z")]  # of a file in /usr/local/bin

NOBODY = 65535  # the ID of a user that owns nothing


class ExportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The content of one exported requirements file: ``[tool.cannery.export."FILE"]``."""

    project: bool = True  # with the project's own dependencies
    extras: tuple[str, ...] = ()  # of [project.optional-dependencies] (PEP 621)
    groups: tuple[str, ...] = ()  # of [dependency-groups] (PEP 735)


class CythonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How modules are compiled: ``[tool.cannery.cython]``."""

    directives: dict[str, bool | int | str] = {}  # Cython's, for every module
    exclude: tuple[str, ...] = ()  # modules and packages that stay bytecode
    target: Filled | None = None  # another platform or C library, as Zig calls it: "x86_64-linux-gnu.2.17"


class StaticSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How the recipe static makes its executable: ``[tool.cannery.static]``."""

    without: tuple[ModuleName, ...] = ()  # modules to leave out although something imports them
    packing: Literal["none", "zstd", "xz"] = "zstd"
    # extension modules that the program can do without: true all, "auto" those of projects without a pure wheel
    accelerators: bool | Literal["auto"] = "auto"
    kit: Filled | None = None  # a file that `invoke kit` wrote, with #sha256=… or without; None: built from sources
    python_variables: bool = False  # obey PYTHONPATH, PYTHONWARNINGS and the like
    # start from memory with modules already imported: the program's (true), or also these
    snapshot: bool | tuple[ModuleName, ...] = False


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The findings that ``invoke audit`` lets pass: ``[tool.cannery.audit]``."""

    allow: tuple[Allowed, ...] = ()  # "CAN501", or for a path "CAN102:/app/main.pyc", where * also matches /


class SizesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What the image may take to pull, for ``invoke sizes``: ``[tool.cannery.sizes]``."""

    budget: str | None = None  # "50MB"
    against: str | None = None  # the earlier image: an archive, a layout, or one in an engine or a registry
    max_growth: str | None = None  # "1MB" or "5%" more than that


class OnefileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """``[tool.cannery.onefile]``: how the app becomes one executable."""

    without: tuple[ModuleName, ...] = ()  # modules to leave out although something imports them
    packing: Literal["xz", "none"] = "xz"  # "none" is larger and starts faster
    upx: bool = False  # only adds a note, as it does nothing on Linux


class TinySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What the recipe ``tiny`` leaves out: ``[tool.cannery.tiny]``."""

    without: tuple[ModuleName, ...] = ()  # modules of the standard library to leave out although something imports them


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """``[tool.cannery]``: every setting, with its default."""

    # what goes in
    name: ImageName | None = None  # of the image; None: the project's
    version: PartOfName | None = None  # None: the project's, unless that is dynamic
    entry: str | None = None  # "main.py", "package", "package.module:function" or the name of a script
    args: tuple[str, ...] = ()  # the image's default arguments
    commands: dict[CommandName, Filled] = {}  # others that it can be started with: "celery -A app worker"
    python: str | None = None  # "3.12", or a path; None: the Python that runs cannery
    requirements: str | None = None  # a requirements file or a lock; None: the one that is found
    extras: tuple[str, ...] = ()  # optional dependencies of the project that go in (PEP 621)
    groups: tuple[str, ...] = ()  # dependency groups that go in (PEP 735)
    packages: tuple[ModuleName, ...] = ()  # top-level modules that nothing else takes in
    include: tuple[Filled, ...] = ()  # modules that are loaded by name: "package.module", "package.*"
    trace: str | tuple[str, ...] = ()  # what is run and watched: "pytest tests", "http://:8000/"
    resources: tuple[str, ...] = ()  # other files and folders of the project
    exclude: tuple[str, ...] = ()  # patterns of files that stay behind; * crosses folders
    stdlib: tuple[str, ...] = ()  # modules of the standard library that would be left out
    libraries: tuple[str, ...] = ()  # shared libraries that the program opens by name: "libmagic.so.1"
    timezones: bool | Literal["auto"] = "auto"
    ca_certificates: Filled | None = None  # a bundle in PEM, or "system"; None: certifi's

    # how it is made
    recipe: str = "scratch"
    base: Filled | None = None  # "python:3.11-slim", "oci:DIR", "docker-archive:FILE" or "docker-daemon:NAME"
    runtime: Filled | None = None  # where the Python comes from: "machine", "debian:trixie", or an image as a base is
    runtime_packages: tuple[PackageName, ...] = ()  # more of the distribution's: "libpq5"
    mirrors: dict[ArchiveName, Filled] = {}  # addresses to take in place of a distribution's archives
    platform: PlatformNames | None = None  # None: this machine's, or the base's for it
    strip: bool = False  # take symbols from the wheels' and the app's ELF files as well
    optimize: Annotated[int, msgspec.Meta(ge=0, le=2)] = 0  # as python -O counts
    compile: bool = False  # the app's own modules, by Cython
    keep_sources: tuple[str, ...] = ()  # distributions' or packages' top-level names that need their .py files
    drop_sources: tuple[str, ...] = ()  # the same, of those that would keep them by themselves
    compress: bool = False  # large extension modules, unpacked when they're imported; of the recipe tiny
    compression_level: Annotated[int, msgspec.Meta(ge=1, le=9)] = 6  # of gzip

    layers: Literal["by-kind", "shared"] = "by-kind"  # shared: a layer for each large package of the dependencies
    sbom: bool = True  # a bill of materials lies in the image, where scanners find it

    # how it runs
    user: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | None = None  # 65535, unless a base names one
    env: dict[VariableName, str] = {}
    labels: dict[str, str] = {}
    ports: tuple[Port, ...] = ()
    volumes: tuple[ImageFolder, ...] = ()
    health: HealthAddress | None = None  # that a small program beside the app's asks for: "/health"
    init: bool = False  # as process 1, before the program
    stop_signal: SignalName | None = None
    watch_signal: SignalName | None = None  # that tells the program of a change, in place of starting it again
    pids_limit: Annotated[int, msgspec.Meta(ge=1, le=2**22)] = 1024  # processes and threads, under `invoke run`
    tmp_size: Size = "256MB"  # of /tmp, and of each volume
    memory: Size | None = None  # None: as much as there is
    check: str | tuple[str, ...] = ()  # what `invoke check` asks the program: arguments, addresses; (): to be imported

    # who builds it
    builder: Literal["cannery", "docker"] = "cannery"  # docker: BuildKit, from the recipe's Dockerfile
    build_options: tuple[str, ...] = ()  # more options for docker build: "--network=host"
    cannery_wheel: Filled | None = None  # of the project, that Dockerfiles install; None: the released one

    cache_size: CacheSize = "5GB"  # that the cache keeps to by itself

    # where it goes
    engine: Literal["auto", "none", "docker", "podman"] = "auto"  # that loads and runs it; auto: the one that answers
    tag: Tag = "latest"
    tags: tuple[Tag, ...] = ()  # more tags, for a push
    repository: RepositoryName | None = None  # that is pushed to: "ghcr.io/team/app"; None: the name, if that has one
    cache_from: Filled | None = None  # repository, or "none"; None: for a push the one that it goes to
    output: Filled | None = None  # None: dist/<name>.tar

    # what is said of it where it goes
    attest: bool = False  # a push attaches a bill of materials and the provenance
    sign: Filled | None = None  # by which key a push signs: a file, "env://NAME", or "keyless"
    signer: Filled | None = None  # a program that signs in place of a key
    vex: Filled | None = None  # a list of known vulnerabilities that a push tells of, or "audit": uv is asked for one

    # what is let through
    allow_missing: tuple[str, ...] = ()  # shared libraries, and modules that the app imports
    allow_secrets: tuple[str, ...] = ()  # files that look like secrets and go in all the same

    tiny: TinySettings = TinySettings()
    audit: AuditSettings = AuditSettings()
    sizes: SizesSettings = SizesSettings()
    static: StaticSettings = StaticSettings()
    cython: CythonSettings = CythonSettings()
    onefile: OnefileSettings = OnefileSettings()
    export: dict[str, ExportSettings] = {}  # files that `nox -s export` writes

    @property
    def limits(self) -> Limits:
        """How much of the machine a container of ``invoke run`` and ``invoke check`` may take."""
        return Limits(self.pids_limit, _bytes(self.tmp_size), None if self.memory is None else _bytes(self.memory))

    @property
    def cache_bytes(self) -> int | None:
        """How much the cache may keep; None for all."""
        return None if self.cache_size == "none" else _bytes(self.cache_size)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that images are built for; none for this machine's alone."""
        return tuple(dict.fromkeys(self.platform.split(","))) if self.platform else ()

    @property
    def one_platform(self) -> str | None:
        """The platform that an image is built for; None for this machine's.

        Raises :class:`ConfigurationError` where there are several: what builds for each has taken one of them before.
        """
        if len(self.platforms) > 1:
            raise ConfigurationError(
                f"this is for one platform, and the settings name {', '.join(self.platforms)}",
                step=f"name one:  --platform {self.platforms[0]}",
            )
        return next(iter(self.platforms), None)

    @property
    def uid(self) -> int:
        """The ID of the user and the group that the program runs as, where no base names a user."""
        return NOBODY if self.user is None else self.user


def _bytes(size: str) -> int:
    return int(size[:-2]) * {"kB": 10**3, "MB": 10**6, "GB": 10**9}[size[-2:]]
