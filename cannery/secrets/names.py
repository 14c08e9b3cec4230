"""Names of variables that say that they hold a secret, and of files in which such names are to be expected."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["begins_a_script", "begins_settings", "is_configuration", "is_script", "names_a_password", "names_a_secret"]

_NAMED: Final = re.compile(  # at a name's end: what follows would say what about the secret is meant
    r"(?:^|_)(?:[a-z0-9]*pass(?:word|wd|phrase)|[a-z0-9]*pwd|pass|(?:rediscli|neo4j|basic)_auth|requirepass|masterauth|(?:pre_?shared_?key|psk)|secrets?|[a-z]*token|(?:api|app|access|account|auth|private|secret"
    r"|signing|fernet|encryption|master|shared|license|session|service)_?key|apikey|client_?secret|credentials?|bearer|authtoken"
    r"|webhook_?url)"
    r"(?:_(?:base|value|str|string|text|plain|raw|b64|base64|prod|production|dev|development|stage|staging|live|main|primary|secondary"
    r"|default|old|new|next|current|backup|local|remote|read|write|rw|ro|admin|root|user|db|[a-z]?[0-9]{1,3}))*$"
)
_NOT_ITSELF: Final = re.compile(  # what is public, counted or asked, and tokens by which lists go on
    r"(?:^|_)(?:public|max|min|num|no|use|has|is|get|set|show|reset|with|per|csrf|xsrf|stop|eos|bos|pad|unk)_"
    r"|(?:next|client|request|change|continuation|page|starting|sync|cancel|task|pagination)_?token$"
)
_PASSWORD: Final = re.compile(r"pass(?:word|wd|phrase)?|pwd", re.IGNORECASE)
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_CONFIGURATION: Final = re.compile(
    r".*\.(?:ya?ml|toml|ini|cfg|conf|cnf|config|json|jsonc|json5|properties|props|xml|env|envrc|tfvars|hcl|plist|rc|secret|secrets"
    r"|credentials?|service|desktop|url|reg|pgpass|netrc|txt|lst|csv|sh|bash|zsh|ps1|bat|cmd|dockerfile|bak|old|orig|save|swp"
    r"|local|prod|production|staging|plist|har)"
    r"|\.[\w.-]*(?:rc|env|cnf|pass)|(?:Dockerfile|Containerfile|Procfile|Makefile|Jenkinsfile|Vagrantfile).*"
    r"|(?:config|\w*credentials?|settings|\w*secrets?|passwd|password|environment|env|kubeconfig)",
    re.IGNORECASE,
)

_SCRIPT: Final = re.compile(
    r".*\.(?:ya?ml|sh|bash|zsh|ksh|bat|cmd|ps1|service|dockerfile|mk)|(?:Dockerfile|Containerfile|Makefile|Jenkinsfile|Procfile).*",
    re.IGNORECASE,
)
_SETTINGS: Final = re.compile(  # a section of INI, a name with a value, or one above others (YAML)
    rb"(?:[ \t]{0,40}(?:[#;][^\n]*|---)?\n){0,40}[ \t]{0,40}"
    rb"(?:\[[\w .:/\"-]{1,60}\][ \t]{0,40}\r?\n|:?[A-Za-z_][\w.-]{0,60}(?:[ \t]?[=:][ \t]?\S|:[ \t]?\r?\n[ \t-]))"
)
_SHELL: Final = re.compile(  # crontab(5) is the second
    rb"#![^\n]{0,100}\b(?:ba|z|k|da|a)?sh\b"
    rb"|(?:[ \t]{0,40}(?:#[^\n]*)?\n|[A-Z]{1,40}=[^\n]*\n){0,40}"
    rb"(?:(?:[\d*/,-]{1,40}[ \t]{1,40}){5}|@(?:reboot|hourly|daily|weekly|monthly)[ \t])[\w/.]"
)


def names_a_secret(variable: str) -> bool:
    """True where a variable's name says that it holds a secret, and not the place, the type or the age of one.

    >>> names_a_secret("PGPASSWORD"), names_a_secret("dbPassword"), names_a_secret("PASSWORD_FILE")
    (True, True, False)
    """
    words = "_".join(filter(None, _WORD_ENDS.split(variable))).lower()
    return _NAMED.search(words) is not None and _NOT_ITSELF.search(words) is None


def names_a_password(variable: str) -> bool:
    """True where the secret is a password, which people choose: keys and tokens are drawn at random."""
    return _PASSWORD.search(variable) is not None


def is_configuration(name: str) -> bool:
    """True for the name of a file that programs are configured by."""
    return _CONFIGURATION.fullmatch(name) is not None


def is_script(name: str) -> bool:
    """True for the name of a file of commands."""
    return _SCRIPT.fullmatch(name) is not None


def begins_a_script(head: bytes) -> bool:
    """True for the beginning of a file that a shell runs, whatever its name."""
    return _SHELL.match(head) is not None


def begins_settings(name: str, head: bytes) -> bool:
    """True for the beginning of settings in a file whose ``name`` has no suffix to tell what it is."""
    return "." not in name.removeprefix(".") and _SETTINGS.match(head) is not None
