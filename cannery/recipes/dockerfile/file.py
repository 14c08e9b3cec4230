"""The files of ``invoke dockerfile``: a Dockerfile and its .dockerignore, written or compared with what is there."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError
from cannery.recipes.dockerfile.base import named_base
from cannery.recipes.dockerfile.render import Rendered, render
from cannery.recipes.dockerfile.templates import MARK
from cannery.workspace.files import explained, replacing, user_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["DockerfileTarget", "render_files"]

_BASE: Final = re.compile(r"^ARG BASE=(?P<name>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})$", re.MULTILINE)
_LINES: Final = 20  # of a difference that are shown


@dataclass(frozen=True, slots=True)
class DockerfileTarget:
    """The place of a Dockerfile, which may not be there yet."""

    path: Path | None  # None: it is only printed

    @classmethod
    def of(cls, app: App, output: str | None) -> DockerfileTarget:
        """The file ``output``, or the Dockerfile of the project."""
        return cls(user_path(output).absolute() if output else app.folder / "Dockerfile")

    @property
    def shown(self) -> str:
        """The file's name."""
        return self.path.name if self.path else "the Dockerfile"

    @property
    def ignore(self) -> Path | None:
        """The .dockerignore that BuildKit reads: of a Dockerfile with another name, ``NAME.dockerignore`` beside it."""
        if self.path is None or self.path.name == "Dockerfile":
            return self.path.with_name(".dockerignore") if self.path else None
        return self.path.with_name(f"{self.path.name}.dockerignore")

    def digest(self, base: str) -> str:
        """The digest that the file has for the tag of ``base``; empty where it has none, or names another base."""
        found = _BASE.search(_text(self.path))
        return found["digest"] if found and found["name"] == base else ""

    def write(self, rendered: Rendered, *, force: bool = False) -> Iterator[Path]:
        """Write both files, each whole or not at all; yields their paths.

        Raises :class:`ProjectError`, and writes neither, where one is there that cannery didn't make, unless
        ``force``.
        """
        texts = tuple(self._texts(rendered))
        if own := [path for path, _ in texts if path.exists() and not force and MARK not in _text(path)]:
            raise ProjectError(
                f"{own[0].name} is there already, and cannery did not make it",
                evidence=str(own[0]),
                step="keep it, and write to another file (--output Dockerfile.cannery), or replace it (--force)",
            )
        for path, text in texts:
            with replacing(path) as stream:
                stream.write(text.encode())
            yield path

    def check(self, rendered: Rendered, command: str) -> None:
        """Raise :class:`ProjectError` where a file differs from ``rendered``; ``command`` writes it anew."""
        for path, text in self._texts(rendered):
            if (present := _text(path)) != text:
                lines = difflib.unified_diff(
                    present.splitlines(), text.splitlines(), str(path), "what the settings say", lineterm="", n=1
                )
                raise ProjectError(
                    f"{path.name} is out of date" if path.exists() else f"there is no {path}",
                    evidence="\n".join(list(lines)[:_LINES]),
                    step=f"write it anew: {command}",
                )

    def _texts(self, rendered: Rendered) -> Iterator[tuple[Path, str]]:
        if self.path and self.ignore:
            yield self.path, rendered.dockerfile
            yield self.ignore, rendered.dockerignore


def render_files(
    app: App, workspace: Workspace, target: DockerfileTarget, *, flags: str = "", pin: bool = False
) -> Rendered:
    """The Dockerfile of ``app``, its base with the digest that ``target`` has for it, or with ``pin`` today's."""
    base = named_base(app).name
    if pin:
        from cannery.trees.base.sources import digest_now  # noqa: PLC0415  # needs an extra

        digest = digest_now(base, workspace) or ""
    else:
        digest = target.digest(base)
    return render(app, workspace, flags=flags, digest=digest, present=_text(target.path))


def _text(path: Path | None) -> str:
    if path is None or not path.exists():
        return ""
    with explained(path, "read"):
        return path.read_text(encoding="utf-8", errors="replace")
