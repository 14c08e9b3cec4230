"""Check this project: ``nox`` runs the checks and the tests, ``nox --list`` says what else there is."""

from pathlib import Path

import nox

from cannery.sessions import export, lint, tests

__all__ = ["docs", "examples", "export", "lint", "quick", "tests"]

QUICK = ["-m", "not slow"]  # of the tests: without engines, and without builds that take seconds


@nox.session
def examples(session: nox.Session) -> None:
    """Check and test the examples, each of which is a project of its own."""
    folders = [path.parent.absolute() for path in sorted(Path("examples").glob("*/pyproject.toml"))]
    session.install(".", "mypy", "pytest", "types-gunicorn")
    session.install(*(f"--requirement={folder}/requirements.txt" for folder in folders))
    for folder in folders:
        with session.chdir(folder):
            session.run("mypy", "--strict", ".")
            session.run("python", "-m", "pytest", "--quiet", "tests")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site, build/site; links that lead nowhere fail, and pages that ask other hosts for anything."""
    session.install(*nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "docs"))
    session.run("python", "-m", "docs.making.site", "stage")
    session.run("zensical", "build", "--strict")
    session.run("python", "-m", "docs.making.site", "check")


@nox.session(python="3.11", venv_backend="uv", reuse_venv=True, default=False)
def quick(session: nox.Session) -> None:
    """Run what is quick of the tests of every room, under one Python; what follows -- goes to pytest."""
    session.install("--editable", ".", "--requirement=requirements-test.txt")
    session.run("pytest", *QUICK, *session.posargs)
