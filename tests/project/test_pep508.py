"""Requirements and versions that are told without a parser are told as the parser tells them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from cannery.errors import ConfigurationError
from cannery.project.pep508 import allows, complaint_about

pytestmark = pytest.mark.once

NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,6}", fullmatch=True)
VERSIONS = st.from_regex(r"(==|!=|<=?|>=?|~=|===)[0-9.]{1,5}", fullmatch=True)
REQUIREMENTS = st.builds(
    lambda name, extras, versions: f"{name}{f'[{extras}]' if extras else ''}{','.join(versions)}",
    NAMES,
    st.one_of(st.just(""), NAMES),
    st.lists(VERSIONS, max_size=2),
)


def is_requirement(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


@given(text=st.one_of(REQUIREMENTS, st.text(max_size=12)))
def test_a_requirement_is_one_where_packaging_takes_it(text: str) -> None:
    assert (not complaint_about(text)) == is_requirement(text)


@given(
    requires=st.from_regex(r">=[0-9]{1,2}\.[0-9]{1,2}(\.[0-9])?", fullmatch=True),
    version=st.from_regex(r"[0-9]\.[0-9]{1,2}(\.[0-9])?", fullmatch=True),
)
def test_a_version_is_allowed_where_packaging_allows_it(requires: str, version: str) -> None:
    assert allows(requires, version) == SpecifierSet(requires).contains(version, prereleases=True)


@pytest.mark.parametrize(
    ("requires", "version", "allowed"),
    [
        ("", "3.11.2", True),
        (">=3.11,<3.13", "3.12.1", True),
        (">=3.11,<3.13", "3.13.0", False),
        ("~=3.9", "3.11", True),
    ],
)
def test_what_is_not_plain_is_asked_of_packaging(requires: str, version: str, allowed: bool) -> None:
    assert allows(requires, version) == allowed


def test_what_is_no_specifier_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'3' is no version specifier"):
        allows("3", "3.11.2")


def test_what_is_plain_needs_no_parser() -> None:
    code = "from cannery.project.pep508 import allows, complaint_about\n"
    code += "complaint_about('rich>=13.7'), complaint_about('coverage[toml]>=7,<8'), allows('>=3.11', '3.12.1')\n"
    told = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True)
    assert not re.search(r"\| +packaging\b", told.stderr)
