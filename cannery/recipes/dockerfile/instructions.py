"""Instructions of a Dockerfile (docs.docker.com, Dockerfile reference)."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["copy", "execution", "quoted_lines", "written"]


def copy(sources: Iterable[str], target: str) -> str:
    """``COPY``; in its JSON form where a name has a space or a quote."""
    words = [*sources, target]
    if any(re.search(r"[\s\"'\[]", word) for word in words):
        return f"COPY {json.dumps(words, ensure_ascii=False)}\n"
    return f"COPY {' '.join(words)}\n"


def written(path: str, text: str, *, executable: bool = False) -> str:
    """``RUN`` of a command that writes a small file; heredocs would need a newer syntax than Docker's own."""
    folder, _, _ = path.rpartition("/")
    literal = "# hadolint ignore=SC2016\n" if re.search(r"[$`]", text) else ""  # nothing in it is meant to expand
    mode = f" \\\n && chmod 755 {shlex.quote(path)}" if executable else ""
    lines = f"printf '%s\\n' {quoted_lines(text)} >{shlex.quote(path)}"
    return f"{literal}RUN mkdir -p {shlex.quote(folder)} \\\n && {lines}{mode}\n"


def quoted_lines(text: str) -> str:
    """The lines of ``text`` as words of a shell."""
    return " \\\n      ".join(shlex.quote(line) for line in text.splitlines())


def execution(config: Mapping[str, Any]) -> str:
    """The instructions that give an image the ``config`` (OCI image-spec v1.1, config.md)."""
    return "".join(_execution(config))


def _execution(config: Mapping[str, Any]) -> Iterator[str]:
    yield _pairs("ENV", [pair.partition("=")[::2] for pair in config.get("Env") or ()])
    yield _pairs("LABEL", list((config.get("Labels") or {}).items()))
    if ports := config.get("ExposedPorts"):
        yield f"EXPOSE {' '.join(port.removesuffix('/tcp') for port in ports)}\n"
    if volumes := config.get("Volumes"):
        yield f"VOLUME {_array(list(volumes))}\n"
    if signal := config.get("StopSignal"):
        yield f"STOPSIGNAL {signal}\n"
    if health := config.get("Healthcheck"):
        command, *words = health["Test"]
        yield f"HEALTHCHECK {command} {_array(words)}\n"
    yield f"WORKDIR {config['WorkingDir']}\n"
    yield "# A number, as Kubernetes can't tell from a name that it isn't root.\n"
    yield f"USER {config['User']}\n"
    yield "# The exec form: no shell stands between the program and its signals.\n"
    yield f"ENTRYPOINT {_array(config['Entrypoint'])}\n"
    if arguments := config.get("Cmd"):
        yield f"CMD {_array(arguments)}\n"


def _pairs(instruction: str, pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    indent = " \\\n" + " " * (len(instruction) + 1)
    return f"{instruction} {indent.join(f'{_key(name)}={_value(value)}' for name, value in pairs)}\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else _value(name)


def _value(text: str) -> str:
    """``text`` in quotes, so that spaces, quotes and dollars stay as they are."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", text).replace("\n", "\\\n") + '"'


def _array(words: list[str]) -> str:
    return json.dumps(words, ensure_ascii=False)
