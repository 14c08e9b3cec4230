"""What real locks say, as uv takes it."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import pytest
from msgspec.structs import replace

from cannery.errors import ConfigurationError, RequirementsError
from cannery.project.app import RequirementsFile
from cannery.project.reading import reading_of
from cannery.project.requirements import Requirements, Wanted
from cannery.workspace.cache import Cache
from cannery.workspace.process import ProgramFailed, find_uv, run
from cannery.workspace.workspace import Workspace
from tests.support.locked_projects import make_poetry_project, make_uv_project

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.once

Kind = Literal["uv", "poetry"]


@pytest.fixture(scope="module", params=["uv", "poetry"])
def lock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RequirementsFile:
    """A lock that uv made, and one that Poetry made, of the same requirements."""
    kind: Kind = request.param
    make = {"uv": make_uv_project, "poetry": make_poetry_project}[kind]
    return RequirementsFile(make(tmp_path_factory.mktemp(kind)) / f"{kind}.lock", kind)


@pytest.fixture(scope="module")
def uv_lock(tmp_path_factory: pytest.TempPathFactory) -> RequirementsFile:
    """A lock that uv made."""
    return RequirementsFile(make_uv_project(tmp_path_factory.mktemp("locked")) / "uv.lock", "uv")


@pytest.fixture
def read(shared_cache: Path) -> ReadRequirements:
    """Reads a lock as builds do, with the Poetry that is installed once for all tests."""
    return reader(Workspace(Cache(shared_cache), run))


def reader(workspace: Workspace) -> ReadRequirements:
    """Reads a lock as builds do."""

    def read(file: RequirementsFile, *, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> Requirements:
        executable = Path(sys.executable)
        wanted = Wanted(file, file.path.parent, tuple(extras), tuple(groups), executable, (), workspace)
        reading = reading_of(wanted)
        answer = reading.ask()
        return replace(answer, options=(*answer.options, *reading.options))

    return read


def names(requirements: Requirements) -> set[str]:
    """The names of what is to be installed."""
    return set(re.findall(r"^(?:name = \")?([\w-]+)(?:==| @|\")", requirements.text, re.MULTILINE))


def copy(lock: RequirementsFile, folder: Path) -> RequirementsFile:
    """The same lock in a project that a test may change."""
    shutil.copytree(lock.path.parent, folder, dirs_exist_ok=True)
    return RequirementsFile(folder / lock.path.name, lock.kind)


class ReadRequirements(Protocol):
    """Reads a file of requirements."""

    def __call__(
        self, file: RequirementsFile, *, extras: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> Requirements:
        """The file lies in the project's folder."""
        ...


def installed_from(requirements: Requirements, scratch: Path) -> set[str]:
    """The names of what uv installs of them."""
    file = scratch / ("pylock.toml" if requirements.form == "pylock" else "requirements.txt")
    file.write_text(requirements.text)
    target = scratch / "site-packages"
    install = [find_uv(), "pip", "install", f"--python={sys.executable}", f"--target={target}", "--no-deps"]
    preview = ["--preview-features=pylock"] if requirements.form == "pylock" else []
    run([*install, *preview, "-r", str(file), *requirements.options])
    return {path.name.split("-")[0] for path in target.glob("*.dist-info")}


def test_a_lock_gives_the_project_s_own_requirements(lock: RequirementsFile, read: ReadRequirements) -> None:
    assert names(read(lock)) == {"iniconfig"}


def test_every_requirement_of_a_lock_is_exact_and_has_a_hash(lock: RequirementsFile, read: ReadRequirements) -> None:
    requirements = read(lock, extras=["colour"], groups=["test"])
    assert requirements.locked
    assert requirements.hashed
    assert len(re.findall(r"==\d|^version = ", requirements.text, re.MULTILINE)) == 3
    assert len(re.findall(r"sha256(?: = \"|:)\w{64}", requirements.text)) >= 3


def test_extras_come_in_when_asked_for(lock: RequirementsFile, read: ReadRequirements) -> None:
    assert names(read(lock, extras=["colour"])) == {"iniconfig", "colorama"}


def test_groups_come_in_when_asked_for(lock: RequirementsFile, read: ReadRequirements) -> None:
    assert names(read(lock, groups=["test"])) == {"iniconfig", "pluggy"}


def test_the_text_is_what_uv_installs_with_its_hashes_checked(
    lock: RequirementsFile, tmp_path: Path, read: ReadRequirements
) -> None:
    requirements = read(lock, groups=["test"])
    assert installed_from(requirements, tmp_path) == {"iniconfig", "pluggy"}


def test_a_wrong_hash_keeps_a_requirement_out(lock: RequirementsFile, tmp_path: Path, read: ReadRequirements) -> None:
    requirements = read(lock)
    forged = replace(requirements, text=re.sub(r"(sha256(?: = \"|:)).{8}", r"\g<1>00000000", requirements.text))
    with pytest.raises(ProgramFailed, match=r"(?i)hash mismatch"):
        installed_from(forged, tmp_path)


@pytest.mark.parametrize(("extras", "groups", "meant"), [(["color"], [], "colour"), ([], ["tests"], "test")])
def test_a_wrong_name_is_answered_with_the_right_one(
    lock: RequirementsFile, extras: list[str], groups: list[str], meant: str, read: ReadRequirements
) -> None:
    with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
        read(lock, extras=extras, groups=groups)


def test_names_are_compared_as_packaging_compares_them(lock: RequirementsFile, read: ReadRequirements) -> None:
    assert names(read(lock, extras=["Colour"])) == {"iniconfig", "colorama"}


def test_a_lock_older_than_the_project_is_refused(
    lock: RequirementsFile, tmp_path: Path, read: ReadRequirements
) -> None:
    stale = copy(lock, tmp_path)
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text().replace('iniconfig = "^2"', 'iniconfig = "^2.1"').replace(">=2", ">=2.1")
    )
    with pytest.raises(RequirementsError, match=f"(?s)needs to be updated|changed significantly.*{lock.kind} lock"):
        read(stale)


def test_uv_s_lock_is_read_without_a_network(
    uv_lock: RequirementsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: ReadRequirements
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    assert names(read(uv_lock)) == {"iniconfig"}


def test_uv_frozen_takes_the_lock_as_it_is(
    uv_lock: RequirementsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: ReadRequirements
) -> None:
    stale = copy(uv_lock, tmp_path)
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(">=2", ">=2.1"))
    monkeypatch.setenv("UV_FROZEN", "1")
    assert names(read(stale)) == {"iniconfig"}


def test_poetry_without_a_network_and_without_poetry_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(RequirementsError, match=r"(?s)poetry\.lock.*network"):
        reader(workspace)(RequirementsFile(tmp_path / "poetry.lock", "poetry"))


def test_a_pylock_is_left_to_uv_with_its_extras_and_groups(
    uv_lock: RequirementsFile, tmp_path: Path, read: ReadRequirements
) -> None:
    export = [find_uv(), "export", "--frozen", "--format=pylock.toml", "--no-emit-project"]
    text = run([*export, "--all-extras", "--group=test", "--no-default-groups"], cwd=uv_lock.path.parent).stdout
    text = text.replace("requires-python", 'extras = ["colour"]\ndependency-groups = ["test"]\nrequires-python', 1)
    text = text.replace('name = "colorama"', 'name = "colorama"\nmarker = "\'colour\' in extras"')
    text = text.replace('name = "pluggy"', 'name = "pluggy"\nmarker = "\'test\' in dependency_groups"')
    (tmp_path / "pylock.toml").write_text(text)
    pylock = RequirementsFile(tmp_path / "pylock.toml", "pylock")
    plain, more = tmp_path / "plain", tmp_path / "more"
    plain.mkdir()
    more.mkdir()

    assert installed_from(read(pylock), plain) == {"iniconfig"}
    with_extras = read(pylock, extras=["colour"], groups=["test"])
    assert installed_from(with_extras, more) == {"iniconfig", "colorama", "pluggy"}
    assert with_extras.locked
    assert with_extras.hashed
    with pytest.raises(ConfigurationError, match="did you mean 'colour'"):
        read(pylock, extras=["color"])  # which uv itself would let pass


def test_a_requirements_file_with_hashes_is_taken_as_it_is(tmp_path: Path, read: ReadRequirements) -> None:
    (tmp_path / "base.txt").write_text("iniconfig==2.1.0 --hash=sha256:aaaa\n")
    path = tmp_path / "requirements.txt"
    path.write_text("-r base.txt\npluggy==1.6.0 --hash=sha256:bbbb\n")
    requirements = read(RequirementsFile(path, "requirements"))
    assert requirements.text == "iniconfig==2.1.0 --hash=sha256:aaaa\npluggy==1.6.0 --hash=sha256:bbbb\n"
    assert requirements.locked
    assert requirements.hashed


@pytest.mark.parametrize(("asked", "was_locked"), [("iniconfig==2.1.0", True), ("iniconfig", False)])
def test_a_requirements_file_without_hashes_is_resolved(
    tmp_path: Path, asked: str, was_locked: bool, read: ReadRequirements
) -> None:
    (tmp_path / "base.txt").write_text(asked)
    path = tmp_path / "requirements.txt"
    path.write_text("-r base.txt\n")
    requirements = read(RequirementsFile(path, "requirements"))
    assert names(requirements) == {"iniconfig"}
    assert requirements.hashed
    assert requirements.locked is was_locked


def test_a_requirements_file_has_no_extras(tmp_path: Path, read: ReadRequirements) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("six\n")
    with pytest.raises(ConfigurationError, match="there is: none"):
        read(RequirementsFile(path, "requirements"), extras=["colour"])


def test_a_project_without_a_lock_is_resolved_and_known_as_not_locked(
    uv_lock: RequirementsFile, read: ReadRequirements
) -> None:
    project = RequirementsFile(uv_lock.path.with_name("pyproject.toml"), "project")
    requirements = read(project, extras=["colour"], groups=["test"])
    assert names(requirements) == {"iniconfig", "colorama", "pluggy"}
    assert not requirements.locked
    assert requirements.hashed


def test_a_requirement_that_does_not_exist_is_an_error_with_what_uv_says(
    tmp_path: Path, read: ReadRequirements
) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["iniconfig>=900"]\n')
    with pytest.raises(RequirementsError, match="iniconfig>=900"):
        read(RequirementsFile(path, "project"))
