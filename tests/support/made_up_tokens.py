"""Tokens and keys as services issue them, of noise: each is put together when a test runs.

No file of this repository looks like a leak itself that way.
"""

from __future__ import annotations

import base64
import json
import random
import string
import zlib

__all__ = [
    "AGE",
    "BASE32",
    "GITHUB",
    "HEX",
    "JWT",
    "LETTERS",
    "PASSWORD",
    "TOKENS",
    "drawn",
    "grafana_token",
    "issued_token",
    "pem",
]

LETTERS = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
URL_SAFE = LETTERS + "-_"
PASSWORD = "Tr4ub" + "dor&33"


def drawn(length: int, letters: str = LETTERS, seed: object = 1) -> str:
    """Letters drawn at random, the same every time."""
    return "".join(random.Random(f"{seed} {length} {letters}").choices(letters, k=length))


def issued_token(prefix: str, seed: object = 1) -> str:
    """A token with the checksum of GitHub and npm, of a number that nobody was given."""
    body = drawn(30, seed=seed)
    number, letters = zlib.crc32(body.encode()), ""
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    for _ in range(6):
        number, digit = divmod(number, 62)
        letters = alphabet[digit] + letters
    return prefix + body + letters


def grafana_token() -> str:
    """A token with Grafana's checksum."""
    body = "glsa" + "_" + drawn(32)
    return f"{body}_{zlib.crc32(body.encode()):08x}"


def encoded(value: object) -> str:
    """JSON in Base64 as tokens have it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def pem(kind: str = "", lines: int = 12) -> str:
    """A private key in PEM, of noise."""
    label = f"{kind} PRIVATE KEY".strip()
    body = "\n".join(drawn(64, LETTERS + "+/", line) for line in range(lines))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


JWT = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded({'sub': 'alice', 'iat': 1700000000})}.{drawn(43, URL_SAFE)}"
AGE = "AGE-SECRET-" + "KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"  # of age's own tests
GITHUB = issued_token("ghp" + "_")

TOKENS = {
    "aws-access-key": "AKI" + "A" + drawn(16, BASE32),
    "aws-temporary-key": "ASI" + "A" + drawn(16, BASE32),
    "google-key": "AIz" + "a" + drawn(35, URL_SAFE[:-2]),
    "google-client-secret": "GOCSPX" + "-" + drawn(28, URL_SAFE),
    "google-access": "ya2" + "9." + drawn(60, URL_SAFE),
    "google-refresh": "1//" + "0" + drawn(60, URL_SAFE),
    "azure-storage": "AccountName=shop;Account" + "Key=" + drawn(86, LETTERS + "+/") + "==",
    "azure-bus": "Endpoint=sb://shop.example/;SharedAccess" + "Key=" + drawn(43, LETTERS + "+/") + "=",
    "azure-sas": "https://shop.blob.core.windows.net/x?sv=2022-11-02&se=2030&si" + "g=" + drawn(43) + "%3D",
    "azure-client-secret": drawn(3) + "8Q" + "~" + drawn(34, LETTERS + "~._-"),
    "azure-devops": drawn(76) + "AZ" + "DO" + drawn(4),
    "github-token": GITHUB,
    "github-oauth": issued_token("gho" + "_"),
    "github-user": issued_token("ghu" + "_"),
    "github-server": issued_token("ghs" + "_"),
    "github-refresh": "ghr" + "_" + drawn(76),
    "github-fine-grained": "github" + "_pat_" + drawn(22) + "_" + drawn(59),
    "gitlab-token": "glpa" + "t-" + drawn(20, URL_SAFE),
    "gitlab-deploy": "gld" + "t-" + drawn(20, URL_SAFE),
    "gitlab-runner": "glr" + "t-" + drawn(20, URL_SAFE),
    "gitlab-trigger": "glpt" + "t-" + drawn(40, HEX),
    "gitlab-job": "glcb" + "t-64_" + drawn(20, URL_SAFE),
    "gitlab-scim": "glsoa" + "t-" + drawn(20, URL_SAFE),
    "gitlab-feed": "glf" + "t-" + drawn(20, URL_SAFE),
    "gitlab-agent": "glagen" + "t-" + drawn(50, URL_SAFE),
    "gitlab-runner-registration": "GR13489" + "41" + drawn(20, URL_SAFE),
    "slack-bot": "xox" + "b-" + drawn(12, "123456789") + "-" + drawn(12, "123456789") + "-" + drawn(24),
    "slack-user": "xox" + "p-" + "-".join(drawn(12, "123456789", n) for n in range(3)) + "-" + drawn(32, HEX),
    "slack-app": "xap" + "p-1-A" + drawn(10, UPPER) + "-" + drawn(13, "123456789") + "-" + drawn(64, HEX),
    "slack-configuration": "xox" + "e.xoxp-1-" + drawn(164, UPPER),
    "slack-webhook": "https://hooks."
    "slack.com/services/T" + drawn(10, UPPER) + "/B" + drawn(10, UPPER, 2) + "/" + drawn(24),
    "stripe": "sk_" + "live_" + drawn(24),
    "stripe-restricted": "rk_" + "live_" + drawn(24),
    "stripe-test": "sk_" + "test_" + drawn(24),
    "stripe-webhook": "whse" + "c_" + drawn(32),
    "npm": issued_token("npm" + "_"),
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + drawn(120, URL_SAFE),
    "sendgrid": "SG" + "." + drawn(22, URL_SAFE) + "." + drawn(43, URL_SAFE),
    "openai": "sk" + "-" + drawn(20) + "T3Blbk" + "FJ" + drawn(20, seed=2),
    "openai-project": "sk-" + "proj-" + drawn(74, URL_SAFE) + "T3Blbk" + "FJ" + drawn(74, URL_SAFE, 2),
    "anthropic": "sk-" + "ant-api03-" + drawn(93, URL_SAFE) + "AA",
    "hugging-face": "hf" + "_" + drawn(34, string.ascii_letters),
    "docker-hub": "dckr" + "_pat_" + drawn(27, URL_SAFE),
    "digitalocean": "dop" + "_v1_" + drawn(64, HEX),
    "vault": "hvs" + "." + drawn(90, URL_SAFE),
    "vault-batch": "hvb" + "." + drawn(140, URL_SAFE),
    "vault-legacy": "s" + "." + "4aB" + drawn(21),
    "jwt": JWT,
    "age": AGE,
    "grafana": grafana_token(),
    "databricks": "dap" + "i" + drawn(32, HEX),
    "telegram": drawn(10, "123456789") + ":A" + "A" + drawn(33, URL_SAFE),
    "discord-webhook": "https://discord.com/api/" + "webhooks/" + drawn(18, "123456789") + "/" + drawn(68, URL_SAFE),
    "shopify": "shpa" + "t_" + drawn(32, HEX),
    "square": "sq0" + "atp-" + drawn(22, URL_SAFE),
    "twilio": "S" + "K" + drawn(32, HEX),
    "mailgun": "ke" + "y-" + drawn(32, HEX),
    "mailchimp": drawn(32, HEX) + "-u" + "s12",
    "linear": "lin_" + "api_" + drawn(40),
    "notion": "nt" + "n_" + drawn(11, "123456789") + drawn(35),
    "terraform-cloud": drawn(14) + ".atlas" + "v1." + drawn(64, URL_SAFE),
    "artifactory": "AK" + "Cp" + drawn(69),
    "atlassian": "ATAT" + "T3" + drawn(186, URL_SAFE),
    "new-relic": "NRA" + "K-" + drawn(27, UPPER),
    "postman": "PMA" + "K-" + drawn(24, HEX) + "-" + drawn(34, HEX),
    "rubygems": "ruby" + "gems_" + drawn(48, HEX),
    "sentry": "sntry" + "u_" + drawn(64, HEX),
    "groq": "gs" + "k_" + drawn(52),
    "buildkite": "bku" + "a_" + drawn(40, HEX),
    "circleci": "CCIP" + "AT_" + drawn(22) + "_" + drawn(40, HEX),
    "clickhouse": "4b1" + "d" + drawn(38),
    "cloudflare": "cfu" + "t_" + drawn(40) + drawn(8, HEX),
    "defined-networking": "dnke" + "y-" + drawn(26, LOWER) + "-" + drawn(52, LOWER),
    "discord-bot": base64.b64encode(drawn(18, "123456789").encode()).decode() + "." + drawn(6) + "." + drawn(27),
    "flutterwave": "FLWSEC" + "K_TEST-" + drawn(32, HEX) + "-X",
    "flyio": "fo" + "1_" + drawn(43),
    "frameio": "fio" + "-u-" + drawn(64),
    "langsmith": "lsv" + "2_pt_" + drawn(32, HEX) + "_" + drawn(10, HEX),
    "mapbox": "sk." + "eyJ1Ijoi" + drawn(80) + "." + drawn(22),
    "posthog": "ph" + "x_" + drawn(43),
    "scalingo": "tk-u" + "s-" + drawn(48),
    "square-access": "EAA" + "A" + drawn(60),
    "tailscale": "tske" + "y-auth-k" + drawn(11) + "-" + drawn(32),
    "vercel": "vercel_" + "blob_rw_" + drawn(16) + "_" + drawn(30),
    "yandex": "AQV" + "N" + drawn(36, URL_SAFE),
    "cerebras": "cs" + "k-" + drawn(48, LOWER),
    "e2b": "e2" + "b_" + drawn(40, HEX),
    "elevenlabs": "s" + "k_" + drawn(48, HEX),
    "firecrawl": "f" + "c-" + drawn(32, HEX),
    "jina": "jin" + "a_" + drawn(32, HEX) + drawn(28),
    "langfuse": "sk-" + "lf-" + "-".join(drawn(size, HEX, place) for place, size in enumerate((8, 4, 4, 4, 12))),
    "logfire": "pyl" + "f_v1_us_" + drawn(43),
    "neon": "nap" + "i_" + drawn(64, LOWER),
    "nvidia": "nva" + "pi-" + drawn(64, URL_SAFE),
    "pinecone": "pcs" + "k_" + drawn(6) + "_" + drawn(63),
    "render": "rn" + "d_" + drawn(28),
    "resend": "r" + "e_" + drawn(8) + "_" + drawn(24),
    "tavily": "tvl" + "y-" + drawn(32),
    "together": "tg" + "p_v1_" + drawn(43, URL_SAFE),
    "wandb": "wand" + "b_v1_" + drawn(80),
    "yandex-access": "t1" + "." + drawn(40, URL_SAFE) + "." + drawn(86, URL_SAFE),
}
