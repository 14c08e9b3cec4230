"""From an image to the findings on it: what ``invoke audit`` does."""

from __future__ import annotations

import fnmatch
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from cannery.audit.archives import read_archive, read_layout
from cannery.audit.choice import choose
from cannery.audit.finding import Finding, Severity
from cannery.audit.report import AuditReport
from cannery.audit.rules import RULES, check
from cannery.containers.engine.discovery import find_engine
from cannery.errors import AuditError, ConfigurationError, ImageError, did_you_mean
from cannery.project.app import HOME
from cannery.project.secrets import allows
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.audit.archives import Saved
    from cannery.audit.contents import ImageContents, PlacedNode
    from cannery.project.settings import Settings
    from cannery.workspace.workspace import Progress

__all__ = ["SEVERITIES", "audit", "close_gate", "severity_named"]

SEVERITIES = ("critical", "high", "medium", "low", "info", "never")
_TRANSPORTS = ("docker-archive:", "oci-archive:", "oci:", "docker-daemon:", "containers-storage:")


def audit(
    image: str,
    settings: Settings,
    *,
    distribution: str | None = None,
    fail_on: str = "high",
    readable: bool = False,
    progress: Progress,
) -> AuditReport:
    """The report on ``image``: an archive, the folder of an OCI layout, or a name that an engine knows.

    ``distribution`` is the app's own, whose files aren't taken for a dependency's. ``fail_on`` is one of
    :data:`SEVERITIES`: findings as bad or worse close the gate. With ``readable`` the report has the texts that people
    can read in the app's modules.

    Raises :class:`ImageError` for what is no image, :class:`MachineError` where the engine that the settings name
    doesn't answer, :class:`ConfigurationError` for a severity or an allowed rule that doesn't exist.
    """
    gate = severity_named(fail_on)
    _check_allowed(settings.audit.allow)
    saved, reference = _read(image, settings, progress, readable=readable)
    contents = choose(saved, reference, distribution)
    found = check(contents)
    allowed = [each for each in found if _is_allowed(settings, each)]
    unused = [entry for entry in settings.audit.allow if not any(_allows(entry, finding) for finding in found)]
    texts = {place.node.path: place.node.facts.readable for place in contents.files() if _shown(contents, place)}
    kept = [finding for finding in found if finding not in allowed]
    return AuditReport(contents, kept, allowed, unused, gate, texts)


def close_gate(report: AuditReport) -> None:
    """Raise :class:`AuditError` where a finding is as bad as ``fail_on``, or worse."""
    if not report.failing:
        return
    rules = sorted({finding.rule.id for finding in report.failing})
    number = len(report.failing)
    found = "1 finding is" if number == 1 else f"{number} findings are"
    raise AuditError(
        f"{report.contents.name} does not pass: {found} {report.fail_on} or worse",
        evidence=", ".join(rules),
        step=f"mend them, or allow what is meant to be:  [tool.cannery.audit]  allow = [{rules[0]!r}]",
    )


def severity_named(name: str) -> Severity | None:
    """The severity of that name; None for ``never``. Raises :class:`ConfigurationError` for any other name."""
    if name not in SEVERITIES:
        raise ConfigurationError(
            f"there is no severity {name!r}",
            evidence=did_you_mean(name, SEVERITIES),
            step=f"severities are: {', '.join(SEVERITIES)}",
        )
    return None if name == "never" else Severity[name.upper()]


def _read(image: str, settings: Settings, progress: Progress, *, readable: bool) -> tuple[Saved, str]:
    """The images at the place that ``image`` names, and the name of the one that is meant; empty for the only one."""
    place, reference = _place(image)
    if place is None:
        return _from_engine(image, settings, progress, readable=readable), ""
    if place.is_dir():
        return read_layout(place, readable=readable), reference
    with explained(place, "read"), place.open("rb") as stream:
        shown = _Shown(stream, progress, place.stat().st_size)
        return read_archive(cast("BinaryIO", shown), str(place), readable=readable), reference


def _place(image: str) -> tuple[Path | None, str]:
    """The file or folder that ``image`` begins with, and the name behind its colon."""
    transport = next((each for each in _TRANSPORTS if image.startswith(each)), "")
    rest = image.removeprefix(transport)
    parts = rest.split(":")
    for length in range(len(parts), 0, -1):
        path = Path(":".join(parts[:length]))
        if path.is_file() or (path / "index.json").is_file():
            return path, ":".join(parts[length:])
    if transport in {"docker-archive:", "oci-archive:", "oci:"} or rest.startswith(("/", "./", "../")):
        raise ImageError(f"there is no image at {rest}", step="name an archive, an OCI layout or an image of an engine")
    return None, ""


def _from_engine(image: str, settings: Settings, progress: Progress, *, readable: bool) -> Saved:
    engine = find_engine(settings.engine)
    if engine is None:
        raise ImageError(
            f"{image!r} is no file and no OCI layout, and no engine answers that may have an image of that name",
            step="name an archive, or start Docker or Podman",
        )
    name = image.removeprefix("docker-daemon:").removeprefix("containers-storage:")
    with engine.save(name) as stream:
        return read_archive(cast("BinaryIO", _Shown(stream, progress)), f"{name} in {engine.name}", readable=readable)


class _Shown:
    """A stream that tells ``progress`` how many bytes of it were read."""

    def __init__(self, stream: BinaryIO, progress: Progress, size: int = 0) -> None:
        self._stream = stream
        self._progress = progress
        self._size = size
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._done += len(data)
        self._progress("reading the image", self._done, self._size)
        return data


def _check_allowed(allow: Sequence[str]) -> None:
    for entry in allow:
        identifier = entry.partition(":")[0]
        if identifier not in RULES:
            raise ConfigurationError(
                f"[tool.cannery.audit] allow names {identifier!r}: there is no such rule",
                evidence=did_you_mean(identifier, RULES),
                step="docs/reference/audit-rules.md lists the rules",
            )


def _is_allowed(settings: Settings, finding: Finding) -> bool:
    """True for what the settings let pass, be it the audit's or that of the build for secrets."""
    if any(_allows(entry, finding) for entry in settings.audit.allow):
        return True
    path = _as_in_project(finding.path)
    return bool(finding.secret) and any(allows(entry, path, finding.secret) for entry in settings.allow_secrets)


def _as_in_project(path: str) -> str:
    """The file of the project that became the file ``path`` of the image: a module's source, or the file itself."""
    name = path.removeprefix(f"{HOME}/")
    stem, suffix = posixpath.splitext(name)
    return f"{stem.partition('.cpython-')[0]}.py" if suffix in {".pyc", ".so"} else name


def _allows(entry: str, finding: Finding) -> bool:
    identifier, _, pattern = entry.partition(":")
    return finding.rule.id == identifier and (not pattern or fnmatch.fnmatchcase(finding.path, pattern))


def _shown(contents: ImageContents, place: PlacedNode) -> bool:
    return bool(place.node.facts.readable) and contents.own(place.node.path)
