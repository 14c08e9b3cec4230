"""Builds: the same digest everywhere, nothing changed, one line changed, everything anew."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import shutil
import tarfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure
from benchmarks.projects import large, sample
from benchmarks.timing import Command, interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench

__all__ = ["after_change", "changed", "cold", "digest", "unchanged"]

_SOMEBODY = 65534
_LONG_AGO = 1_000_000_000  # seconds after the epoch
_CHANGED = "my_project/cli.py"  # in the sample
_CHANGE = "CHANGED = "


def digest(bench: Bench) -> Iterator[Figure]:
    """Digests of the sample built twice, the second time with everything different that must not matter."""
    here = bench.image(sample(bench.folder / "here"), CANNERY_CACHE=str(bench.folder / "cache-here"))
    there = json.loads(_elsewhere(bench).run().output)
    user = f"user {_SOMEBODY}" if os.geteuid() == 0 else "the same user, as only root can become another"
    detail = f"other folder, file times, umask, HOME, time zone, locale, hash seed; {user}: {here['digest'][:19]}…"
    yield Figure("same digest, 2 builds", len({here["digest"], there["digest"]}), "digest", 1, detail)


def _elsewhere(bench: Bench) -> Command:
    home = bench.folder / "somewhere" / "else"
    project = sample(home / "with a longer name")
    for path in [home, *home.rglob("*")]:
        os.utime(path, (_LONG_AGO, _LONG_AGO))
        if os.geteuid() == 0:
            os.chown(path, _SOMEBODY, _SOMEBODY)
    own = {"HOME": str(home), "CANNERY_CACHE": str(home / "cache"), "UV_CACHE_DIR": str(home / "uv")}
    others = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
    command = bench.invoke(project, "image", "--json", **own, **others)
    return replace(command, argv=(*_as_somebody(), *command.argv), umask=0o077)


def _as_somebody() -> list[str]:
    """The beginning of a command that runs the rest as another user, where that's possible.

    The one capability that it keeps lets it read a Python that lies in root's home.
    """
    if os.geteuid() != 0:
        return []
    user = [f"--reuid={_SOMEBODY}", f"--regid={_SOMEBODY}", "--clear-groups"]
    return ["setpriv", *user, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--"]


def unchanged(bench: Bench) -> Iterator[Figure]:
    """``invoke image`` typed again with nothing changed."""
    small, many = sample(bench.folder / "unchanged"), large(bench.folder / "unchanged-large")
    by_uv = bench.installed_by_uv()
    before = _state(bench, small), _state(bench, many)
    costs = interleaved(
        bench.rounds,
        small=bench.invoke(small, "image"),
        many=bench.invoke(many, "image"),
        by_uv=by_uv.invoke(small, "image"),
    )
    after = _state(bench, small), _state(bench, many)
    yield Figure("nothing changed: sample", costs["small"].seconds, "s", 0.5, str(costs["small"]))
    yield Figure("nothing changed: 2,000 modules", costs["many"].seconds, "s", 0.5, str(costs["many"]))
    yield Figure("nothing changed: as uv installs cannery", costs["by_uv"].seconds, "s", 0.5, str(costs["by_uv"]))
    written = len(set(itertools.chain(*after)) - set(itertools.chain(*before)))
    yield Figure("nothing changed: files written", written, "files", 0, "archives and blobs, by inode and time")


def _state(bench: Bench, project: Path) -> list[tuple[str, int, int]]:
    """The files that ``invoke image`` writes: the archive's and the blobs' names, inodes and times."""
    bench.image(project)
    paths = [*project.glob("dist/*"), *bench.cache.glob("*/blobs/sha256/*")]
    return sorted((path.name, path.stat().st_ino, path.stat().st_mtime_ns) for path in paths)


def changed(bench: Bench) -> Iterator[Figure]:
    """``invoke image`` after one line of one module of the app has changed."""
    small, many = sample(bench.folder / "changed"), large(bench.folder / "changed-large")
    wrong = len(_wrongly_changed(bench, small) | _wrongly_changed(bench, many))
    costs = interleaved(
        bench.rounds,
        small=after_change(bench.invoke(small, "image"), small),
        many=after_change(bench.invoke(many, "image"), many),
    )
    yield Figure("one line changed: sample", costs["small"].seconds, "s", 1, str(costs["small"]))
    yield Figure("one line changed: 2,000 modules", costs["many"].seconds, "s", 1, str(costs["many"]))
    detail = "the app layer's digest changes, and no other's"
    yield Figure("one line changed: layers wrong", wrong, "layers", 0, detail)


def _wrongly_changed(bench: Bench, project: Path) -> set[str]:
    """The layers that are wrong after a change of the app: another one than ``app`` changed, or ``app`` didn't."""
    before = _digests(bench.image(project))
    _change_line(project / _CHANGED)
    after = _digests(bench.image(project))
    return {layer for layer in before if before[layer] != after[layer]} ^ {"app"}


def after_change(command: Command, project: Path, module: str = _CHANGED) -> Command:
    """``command``, before each run of which one line of ``module`` is changed."""
    return replace(command, before=lambda: _change_line(project / module))


def _digests(answer: dict[str, Any]) -> dict[str, str]:
    return {layer["name"]: layer["digest"] for layer in answer["layers"]}


def _change_line(path: Path) -> None:
    """Put a constant into a module that is another one each time."""
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text.partition(_CHANGE)[0]}{_CHANGE}{time.time_ns()}\n", encoding="utf-8")


def cold(bench: Bench) -> Iterator[Figure]:
    """``invoke image`` with an empty cache, against gzip at the same level on the same bytes."""
    project = sample(bench.folder / "cold")
    answer = bench.image(project)
    archive = bench.folder / "layers.tar"
    _unpacked_layers(answer["archive"], archive)
    cache = bench.folder / "cache-cold"
    build = bench.invoke(project, "image", CANNERY_CACHE=str(cache))
    costs = interleaved(
        bench.several(),
        build=replace(build, before=lambda: shutil.rmtree(cache, ignore_errors=True)),
        gzip=bench.command(bench.folder, "gzip", "-6", "--keep", "--force", str(archive)),
    )
    detail = f"{costs['build']}; gzip -6 of the layers' {archive.stat().st_size / 1e6:.0f} MB: {costs['gzip']}"
    yield Figure("cold, wheels downloaded: against gzip", costs["build"].ratio(costs["gzip"]), "×", 2, detail)


def _unpacked_layers(archive: str, target: Path) -> None:
    with tarfile.open(archive) as image, target.open("wb") as stream:
        manifest = json.load(image.extractfile("manifest.json") or stream)
        for layer in manifest[0]["Layers"]:
            with gzip.open(image.extractfile(layer) or stream) as unpacked:
                shutil.copyfileobj(unpacked, stream)
