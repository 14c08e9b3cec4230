"""Images as the command builds them, and what lies in their archives."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BuiltImage", "app_layer", "build", "layer_names"]


@dataclass(frozen=True)
class BuiltImage:
    """An archive, and what ``--json`` says of it."""

    archive: Path
    report: dict[str, Any]

    @property
    def reference(self) -> str:
        return str(self.report["references"][0])

    def files(self, layer: str) -> set[str]:
        """The names of the files of one layer."""
        number = [each["name"] for each in self.report["layers"]].index(layer)
        with tarfile.open(self.archive) as archive:
            blob = archive.extractfile(layer_names(archive)[number])
            with tarfile.open(fileobj=blob, mode="r:gz") as opened:
                return {f"/{member.name}" for member in opened if member.isfile()}


def build(project: Path, output: Path, *flags: str) -> BuiltImage:
    """Build as a user does."""
    command = [sys.executable, "-m", "cannery", "image", "--json", "--output", str(output), *flags]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return BuiltImage(output, json.loads(done.stdout))


def layer_names(archive: tarfile.TarFile) -> list[str]:
    """The names that the layers have in an image's archive, from the lowest to the highest."""
    (manifest,) = json.loads(_text(archive, "manifest.json"))
    return list(manifest["Layers"])


def app_layer(archive: Path) -> dict[str, bytes | None]:
    """The members of the app's layer and their contents; the history has the names of layers."""
    with tarfile.open(archive) as image:
        (manifest,) = json.loads(_text(image, "manifest.json"))
        steps = [step["created_by"] for step in json.loads(_text(image, manifest["Config"]))["history"]]
        blob = image.extractfile(manifest["Layers"][steps.index("cannery: app")])
        with tarfile.open(fileobj=blob) as layer:
            streams = {member.name: layer.extractfile(member) for member in layer}
            return {name: stream.read() if stream else None for name, stream in streams.items()}


def _text(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()
