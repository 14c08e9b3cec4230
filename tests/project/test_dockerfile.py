"""What a project's own Dockerfile starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.project.app import Variable
from cannery.project.dockerfile import MARK, read_dockerfile
from cannery.project.shell import NeedsShell

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('CMD ["python", "main.py"]', ("python", "main.py")),
        ("CMD python main.py --port $PORT", ("python", "main.py", "--port", (Variable("PORT", "8000"),))),
        ('ENTRYPOINT ["a"]\nCMD ["b", "$PORT"]', ("a", "b", "$PORT")),
        ('CMD ["b"]\nENTRYPOINT ["a"]', ("a",)),
        ('ENTRYPOINT a b\nCMD ["c"]', ("a", "b")),
        ('CMD ["sh", "-c", "a $B"]', ("a", (Variable("B"),))),
        ('CMD ["/bin/bash", "-ec", "exec a"]', ("exec", "a")),
        ('WORKDIR /srv\nWORKDIR app\nCMD ["python", "/srv/app/x.py"]', ("python", "x.py")),
        ('cmd ["a", \\\n  # told\n  "b"]', ("a", "b")),
        ('FROM x AS base\nCMD ["a"]\nFROM base\nUSER y', ("a",)),
        ('CMD ["a"]\nFROM other\nCMD ["b"]', ("b",)),
    ],
)
def test_the_command_of_the_last_stage_counts(make_project: MakeProject, lines: str, words: tuple[object, ...]) -> None:
    found = read_dockerfile(make_project({"Dockerfile": f"FROM python\n{lines}\n"}))
    assert found is not None
    assert found.command.words == words


def test_variables_and_ports_go_with_it_but_those_of_its_python(make_project: MakeProject) -> None:
    lines = 'FROM x\nENV A=1 B="x y" PYTHONPATH=/x\nENV C d e\nENV PATH=/x:$PATH\nEXPOSE 80 53/udp $P\nCMD ["a"]\n'
    found = read_dockerfile(make_project({"Containerfile": lines}))
    assert found is not None
    assert (found.file, found.env) == ("Containerfile", {"A": "1", "B": "x y", "C": "d e"})
    assert found.ports == ("80", "53/udp")


@pytest.mark.parametrize("text", ["", "FROM x\nRUN y\n", f'# {MARK}" from the settings\nFROM x\nCMD ["a"]\n'])
def test_one_that_starts_nothing_or_that_was_written_by_cannery_says_nothing(
    make_project: MakeProject, text: str
) -> None:
    assert read_dockerfile(make_project({"Dockerfile": text})) is None


def test_a_command_that_needs_a_shell_is_refused(make_project: MakeProject) -> None:
    with pytest.raises(NeedsShell):
        read_dockerfile(make_project({"Dockerfile": "FROM x\nCMD a && b\n"}))
