"""Requirements that no lock pins, resolved by uv to the versions that the indexes have today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from cannery.project.local_projects import extra_config, is_project, local_wheel, wheel_metadata
from cannery.project.requirement_lines import RequirementLine, RequirementLines
from cannery.project.requirements import Reading, Requirements, each, uv
from cannery.project.uv_sources import asks_backends, is_static, local_sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.project.backend import BuiltMetadata
    from cannery.project.local_projects import LocalWheel
    from cannery.project.requirements import Wanted

__all__ = ["resolved"]

_COMPILE = ("pip", "compile", "--format=pylock.toml", "--no-header", "--generate-hashes")


@dataclass(frozen=True, slots=True)
class _Unresolved:
    """What uv is asked to resolve."""

    wanted: Wanted
    lines: RequirementLines
    sources: tuple[str, ...]  # files that uv reads: pyproject.toml, a script
    wheels: Mapping[Path, LocalWheel]  # of the folders of projects that lines name
    extras: tuple[str, ...] = ()  # of the project
    metadata: BuiltMetadata | None = None  # of the project, where only its backend knows what it requires

    @property
    def key(self) -> list[object]:
        """All that decides about the answer."""
        folder = self.wanted.folder
        read = [folder / source for source in self.sources if source.endswith((".toml", ".py"))]
        described = [each / "pyproject.toml" for each in local_sources(folder)] if read else []
        contents = [path.read_bytes().hex() for path in (*read, *described) if path.is_file()]
        told = self.metadata.text if self.metadata else None
        return [self.lines.key, self.extras, told, contents, *map(wheel_metadata, self.wheels.values())]


def resolved(
    wanted: Wanted, lines: RequirementLines, *, sources: tuple[str, ...] = (), project: bool = False
) -> Reading:
    """The requirements ``lines``, those in ``sources``, and with ``project`` those of the project itself, resolved.

    Projects of this machine are built for that, as nothing else tells what they require.
    """
    own = [line for line in lines.lines if line.path is not None and line.path.resolve() == wanted.folder]
    others = replace(lines, lines=[line for line in lines.lines if line not in own])
    folders = {line.path.resolve() for line in others.lines if line.path is not None and line.path.is_dir()}
    wheels = {folder: local_wheel(folder, wanted.python, wanted.workspace) for folder in sorted(folders)}
    question = _Unresolved(wanted, others, sources, wheels)
    if project or own:
        extras = (*(wanted.extras if project else ()), *(extra for line in own for extra in line.extras))
        question = _with_project(question, tuple(dict.fromkeys(extras)))
    secrets = "\n".join([*(line.text for line in lines.lines), *lines.options])
    return Reading(question.key, partial(_answer, question), tuple(lines.options), secrets)


def _with_project(question: _Unresolved, extras: tuple[str, ...]) -> _Unresolved:
    """The question with the project's own requirements: of its ``pyproject.toml``, or as its backend tells them."""
    wanted = question.wanted
    path = wanted.folder / "pyproject.toml"
    if is_static(path):
        return replace(question, sources=(*question.sources, path.name), extras=extras)
    if not is_project(wanted.folder):
        return question
    from cannery.project.backend import own_metadata  # noqa: PLC0415  # hardly any project needs it
    from cannery.project.extras import check_extras  # noqa: PLC0415

    metadata = own_metadata(wanted.folder, wanted.python, wanted.workspace)
    check_extras(extras, metadata.extras, wanted.file.path.name)
    return replace(question, metadata=metadata, extras=extras)


def _answer(question: _Unresolved) -> Requirements:
    """What uv resolves; the folders of projects stand in the lock in place of the wheels that were built of them."""
    from cannery.project import pylock  # noqa: PLC0415  # not needed when nothing has changed

    wanted, lines, path = question.wanted, question.lines, question.wanted.file.path
    with wanted.workspace.cache.scratch() as scratch:
        arguments, stdin = _arguments(question, scratch)
        step = f"correct {path.name}, or see that the index can be reached"
        env = extra_config(scratch / "setuptools") if _builds(question) else None
        text = uv(wanted, *_COMPILE, *arguments, step=step, env=env, stdin=stdin)
    text = pylock.with_absolute_paths(pylock.for_any_python(text), path.name, wanted.folder)
    folders = {wheel.path: folder for folder, wheel in question.wheels.items()}
    text = pylock.with_folders(text, path.name, folders)
    text = pylock.allowed_alone(text, path.name, _hashes(lines))
    locked = lines.locked and not question.sources and not question.metadata
    notes = tuple(lines.notes)
    return Requirements(
        path, text, "pylock", locked=locked, universal=False, hashed=pylock.all_hashed(text), notes=notes
    )


def _arguments(question: _Unresolved, scratch: Path) -> tuple[list[str], str]:
    """The arguments of ``uv pip compile``, and what it reads from standard input."""
    wanted, lines = question.wanted, question.lines
    written = [_written(line, question.wheels) for line in lines.lines]
    arguments = [f"--python={wanted.python}", *wanted.target, *lines.options, *lines.remote]
    arguments += [] if _builds(question) else ["--no-build"]
    if lines.constraints:
        constraints = scratch / "constraints.txt"
        constraints.write_text("".join(f"{line.absolute()}\n" for line in lines.constraints), encoding="utf-8")
        arguments.append(f"--constraint={constraints}")
    if question.metadata is not None:
        wheel = question.metadata.wheel(scratch)
        written.append(RequirementLine(f"{wheel}[{','.join(question.extras)}]", wheel).at(wheel))
        arguments.append(f"--no-emit-package={wheel.name.partition('-')[0]}")
    else:
        arguments += each("--extra", question.extras)
    arguments += each("--group", [f"pyproject.toml:{group}" for group in wanted.groups])
    return [*arguments, *question.sources, "-"], "".join(f"{line}\n" for line in written)


def _written(line: RequirementLine, wheels: Mapping[Path, LocalWheel]) -> str:
    if line.path is not None and (wheel := wheels.get(line.path.resolve())) is not None:
        return line.at(wheel.path)
    return line.absolute()


def _builds(question: _Unresolved) -> bool:
    """True where a project of this machine or in Git may have requirements that uv has to ask its backend for."""
    in_git = any("git+" in line.text for line in question.lines.lines)
    return in_git or (bool(question.sources) and asks_backends(question.wanted.folder))


def _hashes(lines: RequirementLines) -> dict[str, set[str]]:
    """The hashes that constraints have, by the distributions' names: pip holds requirements to them, too."""
    from cannery.project.pylock import canonical  # noqa: PLC0415  # as above

    named: dict[str, set[str]] = {}
    for line in lines.constraints:
        if line.hashes:
            named.setdefault(canonical(line.name), set()).update(line.hashes)
    return named
