"""Importing a session registers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.nox_projects import NOXFILE, nox, says

if TYPE_CHECKING:
    from tests.conftest import MakeProject


def test_importing_a_session_registers_it_and_no_other(make_project: MakeProject) -> None:
    noxfile = """\
        import warnings
        warnings.simplefilter("error")

        import nox
        from cannery.sessions import tests

        @nox.session
        def lint(session: nox.Session) -> None:
            '''Mine.'''
    """
    code, text = nox(make_project({"noxfile.py": noxfile}), "--list")
    assert code == 0
    assert says(text, "* tests ->", "* lint -> Mine.")
    assert "export" not in text


def test_export_runs_only_when_asked_for(make_project: MakeProject) -> None:
    _, text = nox(make_project({"noxfile.py": NOXFILE}), "--list")
    assert says(text, "- export ->", "* lint ->", "* tests ->")


def test_a_broken_pyproject_is_said_without_a_traceback(make_project: MakeProject) -> None:
    code, text = nox(make_project({"noxfile.py": NOXFILE, "pyproject.toml": "[project"}), "--list")
    assert code == 1
    assert "pyproject.toml is not TOML" in text
    assert "Traceback" not in text
