"""CAN3xx: secrets, those among them that a later layer deletes."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from cannery.audit.configuration import list_of, mapping_of, text_of, texts_of
from cannery.audit.finding import Finding, Rule, Severity
from cannery.audit.provenance import is_of_others
from cannery.secrets.commands import secret_in_command, secret_of_variable
from cannery.secrets.file_names import kind_by_name
from cannery.secrets.search import secret_in_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents, PlacedNode
    from cannery.secrets.kind import Secret

__all__ = ["RULES", "check"]

_ROTATE = "leave it out, and replace the secret: everybody who has the image has it"
BY_NAME = Rule("CAN301", Severity.CRITICAL, "a file whose name says that it holds secrets", _ROTATE)
BY_CONTENT = Rule("CAN302", Severity.CRITICAL, "a secret in a file", _ROTATE)
VARIABLE = Rule(
    "CAN303", Severity.HIGH, "a variable that holds a secret", "pass it in when the container starts, and replace it"
)
HISTORY = Rule(
    "CAN304", Severity.HIGH, "a secret in the image's history", "use the builder's secret mounts, and replace it"
)
OF_OTHERS = Rule(
    "CAN305",
    Severity.LOW,
    "what looks like a secret in a dependency or a library",
    "make sure that it's for its own tests",
)
CONFIGURATION = Rule(
    "CAN306",
    Severity.HIGH,
    "a secret in the image's configuration",
    "read it from a variable or a file when the container starts, and replace it",
)
PROVEN = Rule("CAN307", Severity.HIGH, "a token in a dependency, which its checksum says was issued", _ROTATE)
PARTIAL = Rule(
    "CAN308", Severity.LOW, "an archive that unpacks to more than was looked at", "look into it, or leave it out"
)
RULES = (BY_NAME, BY_CONTENT, VARIABLE, HISTORY, OF_OTHERS, CONFIGURATION, PROVEN, PARTIAL)

_TESTS = re.compile(r"/(?:tests?|testing|examples?|docs?|fixtures?)/", re.IGNORECASE)
_COMMANDS = ("Entrypoint", "Cmd", "OnBuild", "Shell")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Secrets in files of every layer, in the configuration and in the history; none of them is shown."""
    local = _local_distributions(contents)
    for place in contents.places():
        folder = place.node.path.partition("-packages/")[2].partition("/")[0].partition("-")[0]
        yield from _in_file(place, mine=contents.own(place.node.path) or bool(folder and folder in local))
    yield from _in_configuration(contents)
    for number, step in enumerate(list_of(contents.config.get("history"))):
        words = (text_of(mapping_of(step).get(key)) for key in ("created_by", "comment", "author"))
        if found := next(filter(None, map(secret_in_command, words)), None):
            yield Finding(HISTORY, f"step {number + 1} of the build: {_given(found)}")


def _in_file(place: PlacedNode, *, mine: bool) -> Iterator[Finding]:
    path, facts = place.node.path, place.node.facts
    others = not mine and is_of_others(path)
    for secret in facts.secrets:
        proven = secret.proven and not _TESTS.search(path)
        rule = (PROVEN if proven else OF_OTHERS) if others else BY_CONTENT
        line = secret.line if not secret.within else 0
        yield Finding(rule, str(secret), path, place.layer, place.hidden, secret.kind.id, line)
    if not facts.secrets and place.node.size and (kind := kind_by_name(path.lstrip("/"))):
        rule = OF_OTHERS if others else BY_NAME
        yield Finding(rule, f"{kind.title} [{kind.id}]", path, place.layer, place.hidden, kind.id)
    if facts.is_partial:
        yield Finding(
            PARTIAL, "it is packed more often, or larger, than anybody needs", path, place.layer, place.hidden
        )


def _in_configuration(contents: ImageContents) -> Iterator[Finding]:
    for name, value in contents.environment.items():
        if found := secret_of_variable(name, value) or secret_in_value(value):
            yield Finding(VARIABLE, f"{name} is set" if found.name == name else f"{name} holds {_given(found)}")
    for field, text in _commands(contents):
        if found := secret_in_command(text):
            yield Finding(CONFIGURATION, f"{field}: {_given(found)}")
    for name, value in mapping_of(contents.start.get("Labels")).items():
        if found := secret_of_variable(str(name), text_of(value)) or secret_in_value(text_of(value)):
            yield Finding(CONFIGURATION, f"label {name}: {_given(found)}")


def _commands(contents: ImageContents) -> Iterator[tuple[str, str]]:
    """The commands of the configuration, each with the field that has it."""
    for field in _COMMANDS:
        words = texts_of(contents.start.get(field))
        if field == "OnBuild":
            yield from ((field, each) for each in words)
        else:
            yield field, " ".join(words)
    yield from ((field, text_of(contents.config.get(field))) for field in ("author", "comment"))
    yield "Healthcheck", " ".join(texts_of(mapping_of(contents.start.get("Healthcheck")).get("Test")))


def _local_distributions(contents: ImageContents) -> frozenset[str]:
    """The folders in site-packages of distributions that came from no index (PEP 610), but from whoever built this."""
    suffix = ".dist-info/direct_url.json"
    paths = (place.node.path for place in contents.files() if place.node.path.endswith(suffix))
    return frozenset(posixpath.basename(path.removesuffix(suffix)).partition("-")[0] for path in paths)


def _given(secret: Secret) -> str:
    return f"{secret.name} is given" if secret.name else secret.kind.title
