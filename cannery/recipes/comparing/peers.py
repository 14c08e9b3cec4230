"""Peers as contenders: what they are given of the app, how long they take, and what comes of it."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.check.environment import environment
from cannery.comparison.launch import ProgramLaunch
from cannery.comparison.measurement import BuildTimes, LayerSize, Measurement, Spread, Stored
from cannery.comparison.peers.peer import START, PeerStage, version_of
from cannery.image.content import OnDisk
from cannery.image.folder import merge_tree
from cannery.image.image import assemble
from cannery.image.layer import pack
from cannery.image.tree import File, Tree
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.interpreter import interpreter_for
from cannery.project.modules import imported_as
from cannery.recipes.common import pinned_dependencies
from cannery.recipes.comparing.one_line import change_line
from cannery.recipes.comparing.own import findings_of
from cannery.trees.app import app_tree
from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.comparison.launch import Launch
    from cannery.comparison.peers.peer import Peer
    from cannery.image.layer import Layer
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["PeerMade", "made_by_peer", "staged"]

_REPEATED: Final = 3
_LONG: Final = 10.0  # seconds; what takes more is made once
_CACHES: Final = ("PEX_ROOT", "PYINSTALLER_CONFIG_DIR")  # variables that name the tools' own
_AS_SCRIPT: Final = '\n\nif __name__ == "__main__":\n    main()\n'
_VARIABLES: Final = {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "PATH": os.defpath}


class PeerMade(NamedTuple):
    """What a peer has made of the app."""

    row: Measurement
    launch: Launch


@contextmanager
def staged(app: App, workspace: Workspace) -> Iterator[PeerStage]:
    """The app as peers take it; gone at the block's end.

    Raises :class:`CanneryError` where this machine has no Python that it's for.
    """
    python = interpreter_for(app, workspace)
    requirements = pinned_dependencies(app, python.target, workspace).requirements
    installed = environment(requirements, python, workspace)
    own = app_tree(app, workspace)
    with workspace.cache.scratch() as scratch:
        whole, code, pins = scratch / "whole", scratch / "code", scratch / "requirements.txt"
        merge_tree(own.code.tree + own.resources.tree, whole)
        for root in reversed(app.image_roots):
            shutil.copytree(f"{whole}{root}", code, dirs_exist_ok=True)
        code.mkdir(exist_ok=True)
        text, modules = _start(app)
        (code / f"{START}.py").write_text(text, encoding="utf-8")
        command = [find_uv(), "pip", "freeze", "--quiet", "--python", str(installed / "bin" / "python3")]
        pins.write_text(workspace.run(command).stdout, encoding="utf-8")
        yield PeerStage(app.name.rpartition("/")[2], code, modules, installed, pins)


def made_by_peer(peer: Peer, app: App, stage: PeerStage, folder: Path, workspace: Workspace) -> PeerMade:
    """The program that ``peer`` makes of ``stage`` in ``folder``, where it stays, and all but how it runs.

    Raises :class:`ProgramFailed` where it refuses.
    """
    workspace.progress(f"packing by {peer.name}")
    version = version_of(peer, stage.python, workspace.run)
    packer = _Packer(peer, folder, workspace)
    cold = packer.pack(stage, "cold")
    unchanged = [packer.pack(stage, "cold")]
    while unchanged[0].seconds < _LONG and len(unchanged) < _REPEATED:
        unchanged.append(packer.pack(stage, "cold"))
    kept = packer.target("cold").rename(folder / stage.name)
    changed = packer.changed(stage)
    elsewhere = packer.copied(stage)
    layer = cold.layer
    python = interpreter_for(app, workspace)
    config = {"Entrypoint": [f"/{stage.name}"], "User": "65535:65535"}
    needs = f"; needs Python {python.version_text} on the machine that runs it" if peer.needs_python else ""
    row = Measurement(
        peer.name,
        "peer",
        f"{peer.tool} {version}{needs}",
        Stored((LayerSize(stage.name, layer.unpacked_size, layer.size),), 1, None),
        BuildTimes(
            Spread(tuple(each.seconds for each in unchanged)),
            Spread((changed.seconds,)),
            changed.layer.size if changed.layer.diff_id != layer.diff_id else 0,
            Spread((cold.seconds,)),
            reproducible=elsewhere.layer.diff_id == layer.diff_id,
        ),
        findings=findings_of(assemble((layer,), config, python.platform), app, workspace),
    )
    start = (stage.python, str(kept)) if peer.needs_python else (str(kept),)
    launch = ProgramLaunch(start, app.arguments, app.folder, {**_VARIABLES, **app.settings.env})
    return PeerMade(row, launch)


class _TimedPacking(NamedTuple):
    seconds: float
    layer: Layer


@dataclass(frozen=True, slots=True)
class _Packer:
    peer: Peer
    folder: Path
    workspace: Workspace

    def target(self, name: str) -> Path:
        """Where a packed program is written, the name being the program's each time."""
        return self.folder / name / "program"

    def pack(self, stage: PeerStage, name: str) -> _TimedPacking:
        """Pack once more, with the caches of that name."""
        target = self.target(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        caches = {variable: str(self.folder / name / "cache" / variable) for variable in _CACHES}
        began = time.perf_counter()
        self.peer.pack(stage, target, caches, self.workspace.run)
        took = time.perf_counter() - began
        file = File(OnDisk(target, target.stat().st_size), 0o755)
        return _TimedPacking(took, pack(stage.name, Tree({f"/{stage.name}": file}), self.workspace.cache))

    def changed(self, stage: PeerStage) -> _TimedPacking:
        """Pack again after a line has changed."""
        path = stage.code / f"{START}.py"
        original = path.read_bytes()
        change_line(path, 1)
        try:
            return self.pack(stage, "cold")
        finally:
            path.write_bytes(original)

    def copied(self, stage: PeerStage) -> _TimedPacking:
        """Pack a copy in another folder, with empty caches."""
        code = self.folder / "elsewhere-code"
        shutil.copytree(stage.code, code)
        return self.pack(PeerStage(stage.name, code, stage.modules, stage.environment, stage.requirements), "elsewhere")


def _start(app: App) -> tuple[str, tuple[str, ...]]:
    """The text of the module that starts the app, and the module that it starts."""
    match app.entry:
        case FunctionEntry(_, module, attribute):
            first, dot, rest = attribute.partition(".")
            text = f"import sys\n\nfrom {module} import {first} as program\n\n\n"
            return f"{text}def main():\n    sys.exit(program{dot}{rest}())\n{_AS_SCRIPT}", (module,)
        case ModuleEntry(name):
            module = name
        case ScriptEntry(path):
            module = imported_as(str(HOME / path), app.image_roots)
    run = f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return f"import runpy\n\n\ndef main():\n    {run}\n{_AS_SCRIPT}", (module,)
