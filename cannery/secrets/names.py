"""Names of variables that say that they hold a secret, and of files in which such names are to be expected."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_configuration", "names_a_secret"]

_NAMED: Final = re.compile(
    r"(?:^|_)(?:\w*pass(?:word|wd|phrase)|\w*pwd|pass|secret|secrets|token|api_?key|app_?key|access_?key|account_?key|auth_?key"
    r"|private_?key|secret_?key|signing_?key|encryption_?key|master_?key|shared_?key|license_?key|client_?secret|credential"
    r"|credentials|bearer|connection_?string|sas_?token|webhook_?url|auth_?token|_?authtoken|_?auth)(?:_\w+)?$"
)
# Variables that name the place of a secret, or something else about it.
_NOT_ITSELF: Final = re.compile(
    r"_(?:file|path|dir|folder|location|ur[li]|endpoint|name|names|id|ids|ttl|timeout|header|headers|type|types|length|len|size|min|max|limit|age"
    r"|policy|regexp?|pattern|format|fmt|prefix|suffix|field|fields|param|parameter|arg|option|count|version|algorithm|alg|hash|hasher"
    r"|hashers|digest|checksum|expir\w*|lifetime|required|enabled|disabled|class|mode|method|methods|scheme|env|env_?var|variable|var|prompt|label"
    r"|help|message|msg|text|title|placeholder|hint|error|re|chars|charset|alphabet|strength|reset|change|validators?|backend|engine|provider"
    r"|store|storage|manager|source|service|scope|scopes|form|view|template|page|input|column|table|model|schema|key_?name|attribute|attr|index"
    r"|encoding|separator|delimiter|bytes|budget|usage|counter|threshold|aud|audience|iss|issuer|request|response|callback|grant|grant_?type)$"
)
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_CONFIGURATION: Final = re.compile(
    r".*\.(?:ya?ml|toml|ini|cfg|conf|cnf|config|json|jsonc|json5|properties|props|xml|env|envrc|tfvars|hcl|plist|rc|secret|secrets"
    r"|credentials?|service|desktop|url|reg|pgpass|netrc|txt|lst|csv|sh|bash|zsh|ps1|bat|cmd|dockerfile|bak|old|orig|save|swp)"
    r"|\.[\w.-]*(?:rc|env|cnf|pass)|(?:Dockerfile|Containerfile|Procfile|Makefile|Jenkinsfile|Vagrantfile).*"
    r"|(?:config|credentials?|settings|secrets?|passwd|password|environment|env|kubeconfig)",
    re.IGNORECASE,
)


def names_a_secret(variable: str) -> bool:
    """True where a variable's name says that it holds a secret, and not the place, the type or the age of one.

    >>> names_a_secret("PGPASSWORD"), names_a_secret("dbPassword"), names_a_secret("PASSWORD_FILE")
    (True, True, False)
    """
    words = "_".join(filter(None, _WORD_ENDS.split(variable))).lower()
    return _NAMED.search(words) is not None and _NOT_ITSELF.search(words) is None


def is_configuration(name: str) -> bool:
    """True for the name of a file that programs are configured by."""
    return _CONFIGURATION.fullmatch(name) is not None
