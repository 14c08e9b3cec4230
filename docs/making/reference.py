"""``docs/reference/``, from the code: ``python -m docs.making.reference`` writes it, and a test compares.

A page says what the code says: flags with their help, settings with their types, the words of docstrings.
"""

from __future__ import annotations

import ast
import inspect
import re
import typing
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard

import msgspec

from cannery import errors, sessions
from cannery.audit.rules import RULES
from cannery.project import settings
from cannery.project.flags import FLAGS
from cannery.tasks import namespace
from docs.making.shapes import json_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke.parser.argument import Argument
    from invoke.tasks import Task

__all__ = ["FOLDER", "LIBRARIES", "arguments_of", "pages"]

FOLDER: Final = Path(__file__).parents[1] / "reference"
LIBRARIES: Final = ("image", "elf", "imports")
_MADE: Final = "<!-- Made by python -m docs.making.reference: change the code, and run that. -->\n"


def pages() -> dict[str, str]:
    """The text of each page that is made of the code alone, by its name; the one on JSON takes a build."""
    texts = {
        "commands.md": _commands(),
        "sessions.md": _sessions(),
        "settings.md": _settings(),
        "exit-codes.md": _exit_codes(),
        "audit-rules.md": _audit_rules(),
        **{f"{name}.md": _library(name) for name in LIBRARIES},
    }
    return {name: f"{_MADE}\n{text}" for name, text in texts.items()}


def _commands() -> str:
    tasks = sorted(namespace.tasks.values(), key=lambda task: str(task.name))
    listed = "\n".join(f"- [`{_name(task)}`](#{_name(task)}): {_summary(task)}" for task in tasks)
    intro = (
        "# Commands\n\nEach is `cannery NAME`, and `invoke NAME` in a project whose `tasks.py` has cannery's tasks.\n"
    )
    return "\n".join([intro, listed, *(_command(task) for task in tasks)]) + "\n"


def _name(task: Task[Any]) -> str:
    return str(namespace.transform(str(task.name)))


def _summary(task: Task[Any]) -> str:
    return str(task.__doc__).partition("\n")[0]


def _command(task: Task[Any]) -> str:
    text = inspect.cleandoc(str(task.__doc__))
    rows = [f"| `{flag}` | {_cell(words)} |" for flag, words in _flags(task)]
    return "\n".join([f"\n## {_name(task)}\n", _prose(text), "\n| flag | what it does |\n|---|---|", *rows])


def arguments_of(task: Task[Any]) -> list[Argument]:
    """The flags of a task, by their names; Invoke's own way takes the words out of the task's help."""
    kept = dict(task.help)
    arguments = task.get_arguments()
    task.help = kept
    return sorted(arguments, key=lambda argument: str(argument.name))


def _flags(task: Task[Any]) -> Iterator[tuple[str, str]]:
    for argument in arguments_of(task):
        name = namespace.transform(str(argument.name))
        dashes = "-" if len(name) == 1 else "--"
        yield f"{dashes}{name}" + ("" if argument.kind is bool else f" {name.upper()}"), str(argument.help or "")


def _sessions() -> str:
    intro = (
        "# Nox sessions\n\nA `noxfile.py` imports those that it wants:\n\n```python\n"
        "from cannery.sessions import export, lint, tests, tests_compiled\n\n"
        '__all__ = ["export", "lint", "tests", "tests_compiled"]\n```\n'
    )
    parts = [f"\n## {name}\n\n{_prose(inspect.cleandoc(_session_doc(name)))}\n" for name in sorted(sessions.__all__)]
    return intro + "".join(parts)


def _session_doc(name: str) -> str:
    return str(getattr(sessions, f"_{name}").__doc__)


def _settings() -> str:
    comments = _comments(settings)
    intro = (
        "# All settings\n\nThe settings of `[tool.cannery]` in `pyproject.toml`, with their types and defaults; "
        "[Configuration](../configuration.md) says what each is for.\nA flag overrides the variable, which overrides "
        "the file.\n\n"
        "| setting | type | default | variable | flag |\n|---|---|---|---|---|\n"
    )
    rows, tables = [], []
    for field in msgspec.structs.fields(settings.Settings):
        if isinstance(field.default, msgspec.Struct):
            tables.append(_table(field, comments))
            continue
        variable = f"`CANNERY_{field.name.upper()}`" if _is_single(field.type) else ""
        flag = f"`--{field.encode_name}`" if field.name in FLAGS else ""
        rows.append(f"| `{field.encode_name}` | {_type(field.type)} | {_default(field)} | {variable} | {flag} |")
    return intro + "\n".join(rows) + "\n" + "".join(tables)


def _table(field: Any, comments: dict[tuple[str, str], str]) -> str:
    kind = type(field.default)
    rows = [
        f"| `{each.encode_name}` | {_type(each.type)} | {_default(each)} "
        f"| {_cell(comments.get((kind.__name__, each.name), ''))} |"
        for each in msgspec.structs.fields(kind)
    ]
    head = f"\n## [tool.cannery.{field.encode_name}]\n\n| setting | type | default | what it is |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _comments(module: Any) -> dict[tuple[str, str], str]:
    """What stands behind each field of the module's classes, or above it."""
    source = inspect.getsource(module)
    lines, found = source.splitlines(), {}
    for node in filter(_is_class, ast.parse(source).body):
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                line, above = lines[field.lineno - 1], lines[field.lineno - 2].strip()
                words = line.partition("  # ")[2] or (above[2:] if above.startswith("# ") else "")
                found[node.name, field.target.id] = words
    return found


def _is_class(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef)


def _is_single(kind: Any) -> bool:
    kinds: Iterator[Any] = map(typing.get_origin, (kind, *typing.get_args(kind)))
    return not any(origin in {tuple, dict} for origin in kinds)


def _type(kind: Any) -> str:
    """A type in words: text, number, list."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is Literal:
        return ", ".join(f'`"{value}"`' for value in inner)
    if origin in {typing.Union, UnionType}:
        return " or ".join(_type(each) for each in inner if each is not type(None))
    if origin in {tuple, dict}:
        return {tuple: "list", dict: "table"}[origin]
    return {str: "text", bool: "`true` or `false`", int: "number"}[kind]


def _default(field: Any) -> str:
    if field.default_factory is not msgspec.NODEFAULT or field.default == ():
        return "empty"
    return "" if field.default is None else f"`{msgspec.json.encode(field.default).decode()}`"


def _exit_codes() -> str:
    codes = re.findall(r"^(\d+) +(.+)$", str(errors.__doc__), re.MULTILINE)
    named = {str(kind.exit_code): kind.__name__ for kind in errors.CanneryError.__subclasses__()}
    rows = [
        f"| {code} | {meaning} | {_code(named.get(code, ''))} |" for code, meaning in [("0", "all went well"), *codes]
    ]
    return (
        "# Exit codes\n\nAll commands have the same; `cannery run` ends with its program's.\n\n"
        "| code | what it means | the error in the code |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "A message goes to standard error: what happened, the evidence, and after `Next:` what to do. "
        "After a signal the code is 128 plus its number: 130 for Ctrl-C, 143 for SIGTERM.\n"
    )


def _audit_rules() -> str:
    rows = [
        f"| `{rule.id}` | {rule.severity} | {_cell(rule.title)} | {_cell(rule.fix)} |"
        for rule in sorted(RULES.values(), key=lambda rule: rule.id)
    ]
    head = "# Audit rules\n\nWhat `cannery audit` looks for; [Audit](../audit.md) says how to use it.\n\n"
    return head + "| rule | severity | fault | what to do |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _library(name: str) -> str:
    module = import_module(f"cannery.{name}")
    text = inspect.cleandoc(str(module.__doc__))
    parts = [f"# cannery.{name}\n\n{_prose(text)}\n"]
    parts += [_public(each, getattr(module, each)) for each in sorted(module.__all__, key=str.lower)]
    return "".join(parts)


def _public(name: str, thing: Any) -> str:
    kind = "class" if inspect.isclass(thing) else "def"
    if inspect.isclass(thing) and issubclass(thing, Exception):
        signature = f"class {name}({thing.__bases__[0].__name__})"
    elif getattr(thing, "_is_protocol", False):
        signature = f"class {name}(Protocol)"
    else:
        signature = f"{kind} {name}{_signature(thing)}"
    parts = [f"\n## {name}\n\n```python\n{signature}\n```\n\n{_prose(_own_doc(thing))}\n"]
    if inspect.isclass(thing):
        members = [(each, member) for each, member in vars(thing).items() if not each.startswith("_")]
        rows = [row for each, member in members if (row := _member(each, member))]
        parts += ["\n| | |\n|---|---|\n" + "\n".join(rows) + "\n"] if rows else []
    return "".join(parts)


def _own_doc(thing: Any) -> str:
    text = inspect.cleandoc(str(thing.__doc__ or ""))
    return "" if text.startswith(f"{thing.__name__}(") else text


def _signature(thing: Any) -> str:
    try:
        text = str(inspect.signature(thing)).replace("'", "")
        return re.sub(r"<(?:factory|(?:function|object)[^>]* at [^>]*)>", "…", text)
    except ValueError:
        return "(…)"


def _member(name: str, member: Any) -> str:
    """A row for a method or a property that says what it is."""
    plain = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    if not inspect.isfunction(plain) or not plain.__doc__:
        return ""
    call = "" if isinstance(member, property) else "()"
    return f"| `{name}{call}` | {_cell(_prose(inspect.cleandoc(plain.__doc__)).partition(chr(10) * 2)[0])} |"


def _prose(text: str) -> str:
    """A docstring as Markdown: code in one backtick, examples as blocks."""
    text = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"(?m)^((?:>>> .*\n?)(?:.+\n?)*)", lambda found: f"```pycon\n{found[1].rstrip()}\n```\n", text)
    return re.sub(r"::\n\n((?: {4}.*\n?|\n)+)", lambda found: f":\n\n```text\n{dedent(found[1]).strip()}\n```\n", text)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in {**pages(), "json.md": f"{_MADE}\n{json_page()}"}.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main()
