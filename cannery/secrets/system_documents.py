"""Files of systems, of their services and of those who look after them, that hold credentials by their form."""

from __future__ import annotations

import re
from typing import Final

from cannery.secrets.form import Form, is_no_example, may_be_chosen
from cannery.secrets.kind import Kind

__all__ = ["SYSTEM_FORMS"]

_ACCOUNTS: Final = Kind("accounts", "passwords of accounts, or their hashes")
_SHARED: Final = Kind("shared-key", "a key that two servers share")
_SIGNING: Final = Kind("signing-key", "a private key to sign with")
_INSTALLER: Final = Kind("installer-password", "a password that an installer sets")
_WORD: Final = rb"[\"']?([^\s\"'$<{%,;]{4,200})"
_BASE64: Final = rb"([A-Za-z0-9+/]{20,}={0,2})"


def _passwords_of_mounts() -> tuple[Form, ...]:
    """In ``fstab`` and in units of systemd: options of CIFS, in either order."""
    kind = Kind("mount-password", "a password of a mount (cifs)")
    user, others = rb"user(?:name)?=[^\s,]{1,64}", rb"(?:[^\s,]{1,64},){0,9}"
    password = rb"pass(?:word)?=([^\s,$<{]{3,200})"
    return (
        Form(kind, (b",pass", b"user"), re.compile(rb"\b%b,%b%b" % (user, others, password)), is_no_example),
        Form(kind, (b"pass", b",user"), re.compile(rb"\b%b,%b%b" % (password, others, user)), is_no_example),
    )


def _lists_of_accounts() -> tuple[Form, ...]:
    """Of Apache's htdigest, Samba, Mosquitto, PgBouncer, Dovecot and OpenLDAP (RFC 2307, RFC 2849)."""
    ntlm = re.compile(rb"(?m)^[^:\s]{1,64}:\d{1,10}:[0-9A-Fa-fX*]{32}:([0-9A-Fa-f]{32}):")
    mosquitto = re.compile(rb"(?m)^[^:\s]{1,64}:(\$7\$\d{1,6}\$[A-Za-z0-9+/=]{8,}\$[A-Za-z0-9+/=]{40,})")
    schemes = (
        b"{PLAIN}", b"{CRAM-MD5}", b"{SHA512-CRYPT}", b"{SHA256-CRYPT}", b"{BLF-CRYPT}", b"{ARGON2ID}", b"{SSHA}",
        b"{SSHA256}", b"{SSHA512}",
    )  # fmt: skip
    in_braces = rb"(?m)^[\w.@-]{1,64}[:\t ]+[\"']?%b([^\s:\"'<>{}]{4,300})"
    quoted = rb"(?m)^\"[^\"\n]{1,64}\"[ \t]+\"(%b[^\"\n]{32,300})\""
    return (
        Form(  # all of the file is such lines, as lines of other files have three parts, too
            Kind("htdigest", "hashes of passwords (htdigest)"),
            (b":",),
            re.compile(rb"\A(?:[^:\s]{1,64}:[^:\n]{1,80}:([0-9a-f]{32})\s*)+\Z"),
        ),
        *(Form(Kind("ntlm", "hashes of passwords (NTLM)"), (mark,), ntlm) for mark in (b":::", b":[")),
        Form(_ACCOUNTS, (b":$7$",), mosquitto),
        *(
            Form(_ACCOUNTS, (b'"' + kind,), re.compile(quoted % re.escape(kind)))
            for kind in (b"md5", b"SCRAM-SHA-256$")
        ),
        *(Form(_ACCOUNTS, (each,), re.compile(in_braces % re.escape(each)), is_no_example) for each in schemes),
        Form(_ACCOUNTS, (b"userPassword::",), re.compile(rb"(?m)^userPassword::[ ]([A-Za-z0-9+/]{8,}={0,2})\s*$")),
    )


def _passwords_of_servers() -> tuple[Form, ...]:
    """Of Postfix, strongSwan, BIND, OpenVPN, Net-SNMP, and what web servers hand on to programs."""
    mail = Kind("mail-password", "a password of a mail server (sasl_passwd)")
    to_host = rb"(?m)^\[?[\w.-]{1,200}%b[ \t]+[^\s:]{1,200}:([^\s$<{]{4,200})\s*$"
    ipsec = rb"(?m)^[^#\n]{0,200}:[ \t]*%b[ \t]+\"([^\"\n]{4,200})\""
    openvpn = b"-----BEGIN OpenVPN Static key V1-----"
    snmp = rb"(?m)^[ \t]*createUser[ \t]+(?:-e[ \t]+\S+[ \t]+)?\S+[ \t]+(?:MD5|SHA[\w-]*)[ \t]+"
    handed_on = Kind("server-variable", "a password that a server hands on")
    named = rb"(?mi)^[ \t]*%b[ \t]+[\w-]{0,60}(?:password|passwd|secret|token|api[_-]?key)[ \t]+"
    words = (b"SetEnv", b"fastcgi_param", b"uwsgi_param", b"proxy_set_header", b"RequestHeader set")
    ports = (b"]:587", b"]:465", b"]:25")
    return (
        *(Form(mail, (port,), re.compile(to_host % re.escape(port)), may_be_chosen) for port in ports),
        *(Form(_SHARED, (b" " + way,), re.compile(ipsec % way), is_no_example) for way in (b"PSK", b"XAUTH", b"EAP")),
        Form(_SHARED, (b"algorithm", b'secret "'), re.compile(rb"\bsecret[ \t]+\"%b\"" % _BASE64)),
        Form(_SHARED, (openvpn,), re.compile(openvpn + rb"\s+([0-9a-f]{32})")),
        Form(Kind("snmp-password", "a password of SNMP"), (b"createUser",), re.compile(snmp + _WORD), is_no_example),
        *(Form(handed_on, (word,), re.compile(named % word + _WORD), may_be_chosen) for word in words),
    )


def _keys_to_sign_with() -> tuple[Form, ...]:
    """Of DNSSEC, minisign and signify, SSH (ssh.com's form) and Ethereum."""
    ssh = b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"
    minisign = rb"untrusted comment:[^\n]{0,200}secret key[^\n]{0,200}\n"
    return (
        Form(_SIGNING, (b"Private-key-format:",), re.compile(rb"(?m)^Private(?:Key|Exponent):[ ]" + _BASE64)),
        Form(_SIGNING, (b"untrusted comment:", b"secret key"), re.compile(minisign + _BASE64)),
        Form(_SIGNING, (ssh,), re.compile(ssh + rb"\s(?:[\w-]+:[^\n]*\n)*" + _BASE64)),
        Form(
            Kind("ethereum-key", "a key of Ethereum"),
            (b'"ciphertext"', b'"kdf"', b'"mac"'),
            re.compile(rb"\"ciphertext\"\s*:\s*\"([0-9a-f]{64,})\""),
        ),
    )


def _passwords_of_installers() -> tuple[Form, ...]:
    """Of Kickstart, debconf, PowerShell's scripts and cloud-init."""
    begun = (
        (b"rootpw --", rb"(?m)^rootpw[ \t]+--(?:plaintext|iscrypted)[ \t]+"),
        (b"-password password ", rb"\bpasswd/(?:root|user)-password password "),
        (b"ConvertTo-SecureString", rb"(?i)ConvertTo-SecureString[ \t]+(?:-String[ \t]+)?(?=[\"'])"),
    )
    cloud = rb"chpasswd:\s[^\n]{0,80}(?:\n[ \t]+\w+:[^\n]{0,80}){0,4}?\n[ \t]+[\w-]{1,32}:([^\s$<{]{4,200})\s*$"
    return (
        *(Form(_INSTALLER, (mark,), re.compile(pattern + _WORD), is_no_example) for mark, pattern in begun),
        Form(_INSTALLER, (b"#cloud-config", b"chpasswd:"), re.compile(cloud, re.MULTILINE), is_no_example),
    )


def _logins_of_clients() -> tuple[Form, ...]:
    """Of npm, Composer, Bundler, Subversion, and of browsers (cookies.txt)."""
    npm = Kind("npm-login", "a password or a token of npm (.npmrc)")
    npmrc = rb"(?m)^(?:[^\s#;=]{1,200}:)?%b[ \t]*=[ \t]*\"?([^\s\"$<{]{8,400})"
    oauth = rb"\"(?:github|bitbucket)-oauth\"\s*:\s*\{\s*\"[^\"]{1,200}\"\s*:\s*\"([\w-]{20,255})\""
    bundler = rb"(?m)^BUNDLE_[A-Z0-9_]{1,100}:[ \t]*\"[^\s\":]{1,100}:([^\s\"$<{]{4,200})\""
    cookie = (
        rb"(?m)^(?:#HttpOnly_)?[\w.-]{1,200}%b/[^\t\n]{0,200}\t(?:TRUE|FALSE)"
        rb"\t\d{1,12}\t[^\t\n]{1,200}\t([^\s]{16,})"
    )
    words, flags = (b"_authToken", b"_auth", b"_password"), (b"\tTRUE\t", b"\tFALSE\t")
    return (
        *(Form(npm, (word,), re.compile(npmrc % word), is_no_example) for word in words),
        Form(
            Kind("composer-login", "a token of Composer (auth.json)"),
            (b'-oauth"', b"{"),
            re.compile(oauth),
            is_no_example,
        ),
        Form(Kind("bundler-login", "a password of Bundler"), (b"BUNDLE_", b":"), re.compile(bundler), may_be_chosen),
        Form(
            Kind("subversion-login", "a password of Subversion"),
            (b"\npassword\nV ",),
            re.compile(rb"K 8\npassword\nV \d{1,3}\n([^\n]{3,200})\n"),
        ),
        *(
            Form(Kind("cookies", "cookies of a browser"), (flag, b"Cookie File"), re.compile(cookie % flag))
            for flag in flags
        ),
    )


SYSTEM_FORMS: Final = (
    *_passwords_of_mounts(),
    *_lists_of_accounts(),
    *_passwords_of_servers(),
    *_keys_to_sign_with(),
    *_passwords_of_installers(),
    *_logins_of_clients(),
)
