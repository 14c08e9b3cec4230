"""Requirements files are read as pip reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RequirementsError
from cannery.project.requirement_lines import check_hashes
from cannery.project.requirements_file import parse_lines, read_lines

if TYPE_CHECKING:
    from cannery.project.requirement_lines import RequirementLines

HERE = Path("/p/reqs.txt")

HASHED = """\
# made by a tool
idna==3.10 ; python_version >= "3.9" \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via something
six==1.17.0 --hash=sha256:cccc
"""


def write(folder: Path, **files: str) -> Path:
    """Write ``files``, dots for underscores in their names, and return the first."""
    paths = [folder / name.replace("_", ".") for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    return paths[0]


def texts(lines: RequirementLines) -> list[str]:
    return [line.text for line in lines.lines]


def test_hashes_on_continued_lines_belong_to_their_requirement() -> None:
    first, second = parse_lines(HASHED, HERE).lines
    assert (first.text, first.hashes) == ('idna==3.10 ; python_version >= "3.9"', ("sha256:aaaa", "sha256:bbbb"))
    assert (second.text, second.hashes) == ("six==1.17.0", ("sha256:cccc",))


def test_where_some_have_hashes_all_must_have() -> None:
    lines = parse_lines(HASHED + "attrs==25.1.0\n", HERE)
    with pytest.raises(
        RequirementsError, match=r"some requirements of reqs\.txt have hashes.*: attrs==25\.1\.0"
    ) as raised:
        check_hashes(lines, "reqs.txt")
    assert "--generate-hashes" in raised.value.step


@pytest.mark.parametrize("text", [HASHED, "--index-url https://example.org/simple\n" + HASHED, "attrs==25.1.0\nsix\n"])
def test_all_or_none_is_fine(text: str) -> None:
    check_hashes(parse_lines(text, HERE), "reqs.txt")


def test_hashes_may_be_asked_for() -> None:
    with pytest.raises(RequirementsError, match="six"):
        check_hashes(parse_lines("--require-hashes\nsix==1.17.0\n", HERE), "reqs.txt")


def test_hash_signs_inside_a_url_are_no_comment() -> None:
    (line,) = parse_lines("six @ https://example.org/six.zip#egg=--hash=none", HERE).lines
    assert line.text.endswith("six.zip#egg=--hash=none")
    assert not line.hashes


def test_options_of_indexes_are_uv_s_and_folders_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub" / "wheels").mkdir(parents=True)
    (tmp_path / "more").mkdir()
    main = write(tmp_path, main_txt="-r sub/base.txt\n-f more\n--pre\n-i https://a.example/simple\n")
    write(tmp_path / "sub", base_txt="--find-links wheels\n--extra-index-url=https://b.example\n--no-index\nsix\n")
    assert read_lines(main).options == [
        f"--find-links={tmp_path}/sub/wheels",
        "--extra-index-url=https://b.example",
        "--no-index",
        f"--find-links={tmp_path}/more",
        "--prerelease=allow",
        "--index-url=https://a.example/simple",
    ]


def test_variables_are_expanded_as_pip_expands_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "sesame")
    lines = parse_lines("-i https://${TOKEN}@a.example/${absent}\n", HERE)
    assert lines.options == ["--index-url=https://sesame@a.example/${absent}"]


def test_an_unknown_option_is_an_error_that_shows_it() -> None:
    with pytest.raises(RequirementsError, match="--pree"):
        parse_lines("--pree\n", HERE)


@pytest.mark.parametrize(
    ("text", "path", "extras", "absolute"),
    [
        ("-e ./lib", "lib", (), "file:///p/lib"),
        ('-e "./lib"', "lib", (), "file:///p/lib"),
        ('-e file:///q/lib ; python_version > "3"', "/q/lib", (), 'file:///q/lib ; python_version > "3"'),
        ("./lib[a,b] ; python_version > '3'", "lib", ("a", "b"), "file:///p/lib ; python_version > '3'"),
        ("lib[a] @ ../my%20lib", "../my%20lib", ("a",), "lib[a] @ file:///my%2520lib"),
        ("lib @ file:///my%20lib", "/my lib", (), "lib @ file:///my%20lib"),
        (
            "./w/tin-1.0-py3-none-any.whl",
            "w/tin-1.0-py3-none-any.whl",
            (),
            "tin @ file:///p/w/tin-1.0-py3-none-any.whl",
        ),
    ],
)
def test_a_requirement_may_be_a_path(text: str, path: str, extras: tuple[str, ...], absolute: str) -> None:
    (line,) = parse_lines(text, Path("/p/reqs.txt")).lines
    assert line.path == Path("/p", path)
    assert line.extras == extras
    assert line.absolute() == absolute


@pytest.mark.parametrize("text", ["six", "six @ https://a.example/six.whl", "git+https://a.example/six", "six[a]==1"])
def test_names_and_addresses_are_no_paths(text: str) -> None:
    (line,) = parse_lines(text, HERE).lines
    assert line.path is None
    assert line.absolute() == text


def test_a_path_is_meant_from_its_file_or_else_from_the_first_one(tmp_path: Path) -> None:
    for folder in ("sub/near", "far", "sub/both", "both"):
        (tmp_path / folder).mkdir(parents=True)
    main = write(tmp_path, main_txt="-r sub/base.txt\n")
    write(tmp_path / "sub", base_txt="-e ./near\n-e ./far\n./both\n")
    assert [line.path for line in read_lines(main).lines] == [
        tmp_path / "sub" / "near",
        tmp_path / "far",
        tmp_path / "sub" / "both",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "idna==3.10",
        "idna[all]==3.10 ; python_version > '3'",
        "idna===3.10",
        "idna == 3.10 --hash=sha256:aa",
        "idna @ https://example.org/idna-3.10-py3-none-any.whl",
    ],
)
def test_an_exact_version_is_locked(text: str) -> None:
    assert parse_lines(text, HERE).locked


@pytest.mark.parametrize("text", ["idna", "idna>=3", "idna==3.*", "-e .", "./idna"])
def test_anything_else_is_not(text: str) -> None:
    assert not parse_lines(text, HERE).locked


def test_included_files_are_looked_for_beside_the_file_that_includes_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    main = write(tmp_path, main_txt="-r more/one.txt\nsix\n")
    write(tmp_path / "more", one_txt="--requirement=two.txt\n-ctop.txt\n", two_txt="idna # why\n", top_txt="idna<4\n")
    lines = read_lines(main)
    assert texts(lines) == ["idna", "six"]
    assert [line.text for line in lines.constraints] == ["idna<4"]
    assert [path.name for path in lines.files] == ["main.txt", "one.txt", "two.txt", "top.txt"]


def test_a_file_may_be_included_twice(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-r a.txt\n-r b.txt\n", a_txt="-r c.txt\n", b_txt="-r c.txt\n", c_txt="six\n")
    assert texts(read_lines(main)) == ["six", "six"]


def test_a_url_is_left_to_uv(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-c https://example.org/constraints.txt\nsix\n")
    lines = read_lines(main)
    assert (lines.files, texts(lines)) == ([main], ["six"])
    assert lines.remote == ["--constraint=https://example.org/constraints.txt"]


def test_a_circle_is_an_error_that_shows_it(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-r other.txt\n", other_txt="-r main.txt\n")
    with pytest.raises(RequirementsError, match=r"(?s)include one another.*main\.txt -> .*other\.txt -> .*main\.txt"):
        read_lines(main)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-r absent.txt\n")
    with pytest.raises(RequirementsError, match=r"cannot read .*absent\.txt"):
        read_lines(main)


def test_a_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    main = tmp_path / "main.txt"
    main.write_bytes("six # å\n".encode("latin-1"))
    with pytest.raises(RequirementsError, match="UTF-8"):
        read_lines(main)
