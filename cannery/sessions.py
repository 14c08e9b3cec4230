"""Nox sessions for any project: they read its ``pyproject.toml`` to know what to do.

A ``noxfile.py`` imports those that it wants; importing one registers it with Nox, and no other::

    from cannery.sessions import export, lint, tests, tests_compiled

    __all__ = ["export", "lint", "tests", "tests_compiled"]

``nox`` then runs ``lint`` and ``tests``; ``nox -s tests_compiled`` runs the tests against extension modules, and
``nox -s export`` writes the requirements files from the lock.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nox

from cannery.errors import CanneryError, ConfigurationError
from cannery.project.config import load
from cannery.project.export import TEST_NAMES, export_lock, export_text, export_with, find_lock, usual_exports
from cannery.project.precedence import resolve_settings
from cannery.project.pyproject import read_project
from cannery.python.versions import hidden_folders, named_versions, present_versions
from cannery.workspace.streams import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cannery.workspace.workspace import Progress, Workspace

    SessionFunction = Callable[[nox.Session], None]
    Table = dict[str, Any]

    export: SessionFunction
    lint: SessionFunction
    tests: SessionFunction
    tests_compiled: SessionFunction

__all__ = ["export", "lint", "tests", "tests_compiled"]

_LINT_NAMES = ("lint",)  # of the group of what the linters need


def __getattr__(name: str) -> SessionFunction:
    """Register the session that is imported."""
    if name not in _REGISTER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        globals()[name] = session = _REGISTER[name]()
    except CanneryError as error:
        sys.exit(str(error))  # a noxfile has no other way to say so than a traceback
    return session


def _plainly(session: SessionFunction) -> SessionFunction:
    """A session like ``session`` that ends with a message in place of a traceback, where the user can act."""

    @functools.wraps(session)
    def plain(nox_session: nox.Session) -> None:
        try:
            session(nox_session)
        except CanneryError as error:
            nox_session.error(visible(str(error)))

    return plain


@_plainly
def _lint(session: nox.Session) -> None:
    """Check the code: ruff, mypy, and import contracts where there are some."""
    pyproject = _pyproject()
    contracts = _has_contracts(pyproject)
    tools = ["ruff", "mypy", *(["import-linter"] if contracts else [])]
    _install(session, pyproject, _LINT_NAMES, *tools)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", "--strict", *_mypy_targets(pyproject))
    if contracts:
        session.run("lint-imports")


@_plainly
def _tests(session: nox.Session) -> None:
    """Run the tests, measuring which branches they reach; what follows -- goes to pytest."""
    pyproject = _pyproject()
    _install(session, pyproject, TEST_NAMES, "pytest", "pytest-cov")
    session.run("pytest", "--cov", "--cov-branch", *session.posargs, env={"COVERAGE_FILE": f".coverage.{session.name}"})


@_plainly
def _tests_compiled(session: nox.Session) -> None:
    """Run the tests against the project's compiled packages, with no source of them at hand.

    Tests that need source are marked ``needs_source``; what follows -- goes to pytest.
    """
    from cannery.recipes.packages import copy_without_sources  # noqa: PLC0415  # slow to import, and no other session needs it

    pyproject = _pyproject()
    app = load(Path.cwd(), {"python": f"{session.bin}/python"}, library=True)
    workspace = _workspace(session)
    with workspace.cache.scratch() as scratch:
        wheel = copy_without_sources(app, workspace, scratch / "project", package=_is_package(pyproject))
        session.install(*_compiled_project(pyproject, wheel), "pytest", "pytest-cov")
        with session.chdir(scratch / "project"):
            # The project's own settings may ask for coverage, and there is none of compiled code.
            uncovered = ["--no-cov", "-W", "ignore::pytest_cov.CovDisabledWarning"]
            session.run("pytest", *uncovered, "-m", "not needs_source", *session.posargs)


@_plainly
def _export(session: nox.Session) -> None:
    """Write requirements files with hashes from uv.lock or poetry.lock."""
    settings, _ = resolve_settings(read_project(Path.cwd()))
    exports = settings.export or usual_exports(_pyproject())
    for path in export_lock(Path.cwd(), exports, _workspace(session)):
        session.log(f"wrote {path.name}")


def _workspace(session: nox.Session) -> Workspace:
    """The user's workspace, with its progress in the session's log."""
    from cannery.workspace.workspace import Workspace  # noqa: PLC0415

    return Workspace.default(_logged(session))


def _logged(session: nox.Session) -> Progress:
    """Progress in the session's log: a line for each step, when it begins."""
    last = ""

    def log(title: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001  # as Progress is called
        nonlocal last
        if title != last:
            session.log(visible(f"{title} …"))
            last = title

    return log


def _register_lint() -> SessionFunction:
    return nox.session(name="lint", venv_backend="uv", reuse_venv=True)(_lint)


def _register_tests() -> SessionFunction:
    return _register_for_every_python("tests", _tests, default=True)


def _register_tests_compiled() -> SessionFunction:
    return _register_for_every_python("tests_compiled", _tests_compiled, default=False)


def _register_for_every_python(name: str, function: SessionFunction, *, default: bool) -> SessionFunction:
    """Register tests for every Python that the project names; those that the machine lacks are skipped."""
    folders = [*map(Path, os.get_exec_path()), *(hidden := hidden_folders())]
    versions = named_versions(_pyproject(), present_versions(folders))
    _show(folder for folder in hidden if not present_versions([folder]).isdisjoint(versions))
    nox.options.error_on_missing_interpreters = False  # which is otherwise on where CI is set
    session = nox.session(
        name=name, python=versions or None, venv_backend="uv", reuse_venv=True, download_python="never", default=default
    )
    return session(function)


def _register_export() -> SessionFunction:
    return nox.session(name="export", python=False, default=False)(_export)


_REGISTER = {
    "export": _register_export,
    "lint": _register_lint,
    "tests": _register_tests,
    "tests_compiled": _register_tests_compiled,
}


def _show(folders: Iterable[Path]) -> None:
    """Let Nox find the Pythons in ``folders`` too, after those on the path."""
    os.environ["PATH"] = os.pathsep.join([*os.get_exec_path(), *map(str, folders)])


def _install(session: nox.Session, pyproject: Table, names: tuple[str, ...], *tools: str) -> None:
    """Install the project, what is required of it and of the groups and extras called ``names``, and ``tools``.

    Versions are those of a lock, where there is one.
    """
    lock = find_lock(Path.cwd())
    if lock is None:
        more = _lint_requirements(pyproject) if names == _LINT_NAMES else _test_requirements(pyproject)
        session.install(*_project(pyproject), *more, *tools)
        return
    chosen = export_with(pyproject, names)
    if names == _LINT_NAMES and not chosen.groups:
        chosen = export_with(pyproject, TEST_NAMES)
    locked = Path(session.bin).parent / "locked-requirements.txt"
    locked.write_text(export_text(lock, Path.cwd(), chosen, _workspace(session)), encoding="utf-8")
    session.log(f"installing the versions of {lock.path.name}")
    named = ["-r", "requirements-test.txt"] if Path("requirements-test.txt").is_file() else []
    session.install("-r", str(locked), *named, *tools)
    if _is_package(pyproject):
        session.install("--no-deps", "--editable", ".")


def _project(pyproject: Table) -> list[str]:
    """The arguments of ``session.install`` for the project, or at least for its requirements."""
    versions = ["-r", "requirements.txt"] if Path("requirements.txt").is_file() else []
    if _is_package(pyproject):
        return [*versions, "--editable", "."]
    return versions or (["-r", "pyproject.toml"] if "project" in pyproject else [])


def _is_package(pyproject: Table) -> bool:
    """True for a project that can be installed: it has a build backend, and no setting of uv or Poetry says no."""
    tool = pyproject.get("tool", {})
    switched_off = tool.get("uv", {}).get("package") is False or tool.get("poetry", {}).get("package-mode") is False
    return "build-system" in pyproject and not switched_off


def _test_requirements(pyproject: Table) -> list[str]:
    """The arguments for the requirements of the tests: a file, groups or extras with a usual name; else none."""
    if Path("requirements-test.txt").is_file():
        return ["-r", "requirements-test.txt"]
    if groups := [f"--group={name}" for name in TEST_NAMES if name in pyproject.get("dependency-groups", {})]:
        return groups
    extras = [name for name in TEST_NAMES if name in pyproject.get("project", {}).get("optional-dependencies", {})]
    return ["--editable", f".[{','.join(extras)}]"] if extras and _is_package(pyproject) else []


def _compiled_project(pyproject: Table, wheel: Path | None) -> list[str]:
    """The arguments for the project's ``wheel``, or for its requirements, and for those of the tests."""
    tests = _test_requirements(pyproject)
    if wheel is None:
        return [*_project(pyproject), *tests]
    extras = tests[1].removeprefix(".") if tests[:1] == ["--editable"] else ""
    return [f"{wheel}{extras}", *(tests if not extras else [])]


def _lint_requirements(pyproject: Table) -> list[str]:
    """The arguments for the group ``lint``, or else for the tests' requirements, which mypy looks into."""
    if "lint" in pyproject.get("dependency-groups", {}):
        return ["--group=lint"]
    return _test_requirements(pyproject)


def _has_contracts(pyproject: Table) -> bool:
    """True where there is a configuration of import-linter (its documentation, Configuration file)."""
    ini = [path for path in (Path(".importlinter"), Path("setup.cfg")) if path.is_file()]
    return "importlinter" in pyproject.get("tool", {}) or any("[importlinter" in path.read_text() for path in ini)


def _mypy_targets(pyproject: Table) -> list[str]:
    """The arguments that have mypy check everything; none where its configuration says what to check."""
    settings = pyproject.get("tool", {}).get("mypy", {}).keys()
    ini = [path.read_text() for path in (Path("mypy.ini"), Path(".mypy.ini")) if path.is_file()]
    named = any(re.search(r"^(files|packages|modules)\s*=", text, re.MULTILINE) for text in ini)
    if named or not settings.isdisjoint({"files", "packages", "modules"}):
        return []
    return ["--exclude", r"^(noxfile|tasks)\.py$", "."]  # they import cannery, which need not be installed here


def _pyproject() -> Table:
    """The tables of ``pyproject.toml``; empty where there is none."""
    try:
        return nox.project.load_toml("pyproject.toml")
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("pyproject.toml is not TOML", evidence=str(error), step="correct that line") from error
