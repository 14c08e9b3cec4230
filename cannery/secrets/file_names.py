"""Names of files and folders that say that what is in them is secret."""

from __future__ import annotations

import fnmatch
import re
from typing import Final

from cannery.secrets.kind import Kind

__all__ = ["FILE_NAMES", "kind_by_name"]

_PASSWORDS = Kind("password-file", "passwords")
_KEY = Kind("private-key-file", "a private key")
_KEYS = Kind("keys-file", "keys")
_HISTORY = Kind("repository", "the project's history")
_SETTINGS = Kind("env-file", "settings with passwords")
_INDEX = Kind("index-password-file", "a package index's password")
_REGISTRY = Kind("registry-password-file", "a registry's password")
_CLUSTER = Kind("cluster-file", "a cluster's keys")
_STATE = Kind("terraform-file", "Terraform's state or variables, which have passwords in them")
_COMMANDS = Kind("shell-history", "what somebody typed")

# A file's name, or that of a folder above it -> the kind of secret in it
_PATTERNS: Final = {
    ".env": _SETTINGS,
    ".env.*": _SETTINGS,
    "*.env": _SETTINGS,
    ".envrc": _SETTINGS,
    ".git": _HISTORY,
    ".hg": _HISTORY,
    ".svn": _HISTORY,
    ".netrc": _PASSWORDS,
    "_netrc": _PASSWORDS,
    ".pgpass": _PASSWORDS,
    ".my.cnf": _PASSWORDS,
    ".mylogin.cnf": _PASSWORDS,
    ".htpasswd": _PASSWORDS,
    ".vault_pass*": _PASSWORDS,
    ".vault-token": _PASSWORDS,
    ".s3cfg": _KEYS,
    ".boto": _KEYS,
    "*.keytab": _KEYS,
    "master.key": _KEYS,
    "kaggle.json": _KEYS,
    ".vnc": _PASSWORDS,
    "chap-secrets": _PASSWORDS,
    "pap-secrets": _PASSWORDS,
    "sasl_passwd": _PASSWORDS,
    "passwd.client": _PASSWORDS,
    ".msmtprc": _PASSWORDS,
    "sitemanager.xml": _PASSWORDS,
    "recentservers.xml": _PASSWORDS,
    ".pypirc": _INDEX,
    "secrets.toml": _PASSWORDS,
    ".npmrc": _INDEX,
    ".git-credentials": _PASSWORDS,
    ".ssh": _KEYS,
    ".gnupg": _KEYS,
    ".aws": _KEYS,
    ".azure": _KEYS,
    ".kube": _KEYS,
    "kubeconfig": _CLUSTER,
    "*.kubeconfig": _CLUSTER,
    ".docker": _REGISTRY,
    ".dockercfg": _REGISTRY,
    ".dockerconfigjson": _REGISTRY,
    "*.tfstate": _STATE,
    "*.tfstate.backup": _STATE,
    "terraform.tfvars": _STATE,
    "id_rsa": _KEY,
    "id_dsa": _KEY,
    "id_ecdsa": _KEY,
    "id_ed25519": _KEY,
    "*.p12": _KEY,
    "*.pfx": _KEY,
    "*.ppk": _KEY,
    "*.jks": _KEY,
    "*.kdbx": _PASSWORDS,
    "*.psafe3": _PASSWORDS,
    "hudson.util.Secret": _KEYS,
    ".htdigest": _PASSWORDS,
    "smbpasswd": _PASSWORDS,
    "ipsec.secrets": _KEYS,
    ".*_history": _COMMANDS,
    "fish_history": _COMMANDS,
    ".viminfo": _COMMANDS,
    ".lesshst": _COMMANDS,
    ".secrets": _SETTINGS,
    ".flaskenv": _SETTINGS,
    "krb5cc_*": _KEYS,
    ".erlang.cookie": _PASSWORDS,
    "wallet.dat": _KEYS,
    "credentials-config.json": _PASSWORDS,
    "credentials.tfrc.json": _KEYS,
    "keyring_pass.cfg": _PASSWORDS,
}
FILE_NAMES: Final = tuple(dict.fromkeys(_PATTERNS.values()))
_HARMLESS: Final = re.compile(r".*\b(?:example|sample|template|dist|default)s?(?:\.\w+)?", re.IGNORECASE)
_SUSPICIOUS: Final = re.compile("|".join(map(fnmatch.translate, _PATTERNS)))  # all at once, as most names match none


def kind_by_name(path: str) -> Kind | None:
    """The kind of secret that the name of ``path``, or of a folder above it, stands for."""
    for part in path.split("/"):
        if _SUSPICIOUS.match(part) and not _HARMLESS.fullmatch(part):
            return next(kind for pattern, kind in _PATTERNS.items() if fnmatch.fnmatchcase(part, pattern))
    return None
