"""Requirements files are read as pip reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import RequirementsError
from cannery.project.requirements_file import hashed, locked, nested_files, nested_text

if TYPE_CHECKING:
    from pathlib import Path

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


def test_hashes_on_continued_lines_belong_to_their_requirement() -> None:
    assert hashed(HASHED)


def test_one_requirement_without_a_hash_is_enough() -> None:
    assert not hashed(HASHED + "attrs==25.1.0\n")


def test_options_need_no_hash() -> None:
    assert hashed("--index-url https://example.org/simple\n" + HASHED)


def test_hash_signs_inside_a_url_are_no_comment() -> None:
    assert not hashed("six @ https://example.org/six.zip#egg=--hash=none")


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
    assert locked(text)


@pytest.mark.parametrize("text", ["idna", "idna>=3", "idna==3.*", "-e .", "./idna"])
def test_anything_else_is_not(text: str) -> None:
    assert not locked(text)


def test_included_files_are_looked_for_beside_the_file_that_includes_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    main = write(tmp_path, main_txt="-r more/one.txt\nsix\n")
    write(tmp_path / "more", one_txt="--requirement=two.txt\n-ctop.txt\n", two_txt="idna # why\n", top_txt="idna<4\n")
    assert nested_text(main) == "idna\nsix\n"
    assert [path.name for path in nested_files(main)] == ["main.txt", "one.txt", "two.txt", "top.txt"]


def test_a_file_may_be_included_twice(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-r a.txt\n-r b.txt\n", a_txt="-r c.txt\n", b_txt="-r c.txt\n", c_txt="six\n")
    assert nested_text(main) == "six\nsix\n"


def test_a_url_is_left_to_uv(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-c https://example.org/constraints.txt\nsix\n")
    assert nested_files(main) == (main,)
    assert nested_text(main) == "-c https://example.org/constraints.txt\nsix\n"


def test_a_circle_is_an_error_that_shows_it(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-r other.txt\n", other_txt="-r main.txt\n")
    with pytest.raises(RequirementsError, match=r"(?s)include one another.*main\.txt -> .*other\.txt -> .*main\.txt"):
        nested_text(main)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    main = write(tmp_path, main_txt="-r absent.txt\n")
    with pytest.raises(RequirementsError, match=r"cannot read .*absent\.txt"):
        nested_files(main)


def test_a_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    main = tmp_path / "main.txt"
    main.write_bytes("six # å\n".encode("latin-1"))
    with pytest.raises(RequirementsError, match="UTF-8"):
        nested_text(main)
