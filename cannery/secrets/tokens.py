"""The tokens that services issue: each with what it begins with, its whole form, and its checksum where it has one.

The forms are those that the services document, and that gitleaks and detect-secrets know them by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.secrets.checksums import decoded, ends_in_base62_crc32, ends_in_hex_crc32, is_bech32, is_jwt
from cannery.secrets.issued_token import IssuedToken
from cannery.secrets.kind import Secret
from cannery.secrets.values import entropy, is_made_up

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TOKENS", "tokens_in"]

_DIGITS: Final = tuple(bytes((digit,)) for digit in b"0123456789")
_SOME_DIGITS: Final = 3
_HIGH: Final = 3.5  # bits a letter


def _of(service: str, identifier: str, anchors: bytes, pattern: bytes) -> IssuedToken:
    return IssuedToken(identifier, f"a token of {service}", anchors, pattern)


def _key(service: str, identifier: str, anchors: bytes, pattern: bytes) -> IssuedToken:
    return IssuedToken(identifier, f"a key of {service}", anchors, pattern)


def _github(prefix: bytes) -> IssuedToken:
    name = {b"ghp": "token", b"gho": "oauth", b"ghu": "user", b"ghs": "server", b"ghr": "refresh"}[prefix]
    pattern = prefix + rb"_(?:[A-Za-z0-9]{36}|[A-Za-z0-9]{76,251})"
    return IssuedToken(f"github-{name}", "a token of GitHub", prefix + b"_", pattern, checksum=ends_in_base62_crc32)


def _is_mixed(text: bytes) -> bool:
    """True for letters of both cases and digits: what a name is not."""
    body = text[2:]
    return any(map(body.__contains__, b"0123456789")) and not body.islower() and not body.isupper()


def _names_a_number(text: bytes) -> bool:
    """True for a token that begins with the number of an account, in Base64."""
    return decoded(text.partition(b".")[0]).isdigit()


_AZURE = rb"[A-Za-z0-9+/]{86}=="
TOKENS: Final = (
    IssuedToken("age", "a key of age", b"AGE-SECRET-KEY-1", rb"AGE-SECRET-KEY-1[0-9A-Z]{58}", checksum=is_bech32),
    _key("Adafruit", "adafruit", b"aio_", rb"aio_[A-Za-z0-9]{28}"),
    IssuedToken("airtable", "a token of Airtable", b"pat", rb"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}", text_only=True),
    _key("Alibaba Cloud", "alibaba", b"LTAI", rb"LTAI[A-Za-z0-9]{20}"),
    _key("Anthropic", "anthropic", b"sk-ant-", rb"sk-ant-[a-z]{2,6}\d\d-[\w-]{24,150}"),
    _of("Artifactory", "artifactory", b"AKCp cmVmdGtu", rb"(?:AKCp[A-Za-z0-9]{69}|cmVmdGtu[A-Za-z0-9]{56})"),
    _of("Atlassian", "atlassian", b"ATATT3", rb"ATATT3[\w=-]{180,}"),
    *(
        IssuedToken(f"aws-{name}", f"{what} of AWS", start, start + rb"[A-Z0-9]{16}", text_only=True)
        for start, name, what in (
            (b"AKIA", "access-key", "an access key"),
            (b"ASIA", "temporary-key", "a temporary access key"),
            (b"ABIA", "bearer", "a bearer token"),
            (b"ACCA", "context-key", "a context-specific key"),
        )
    ),
    _key("AWS Bedrock", "aws-bedrock", b"ABSK", rb"ABSK[A-Za-z0-9+/]{109,269}={0,2}"),
    _key("an Azure storage account", "azure-storage", b"AccountKey=", rb"AccountKey=" + _AZURE),
    _key("Azure's service bus", "azure-bus", b"SharedAccessKey=", rb"SharedAccessKey=[A-Za-z0-9+/]{43}="),
    _of("Azure (shared access signature)", "azure-sas", b"sig=", rb"[?&]sig=[A-Za-z0-9%/+]{43,60}(?:%3[Dd]|=)"),
    IssuedToken(
        "azure-client-secret",
        "a client secret of Azure",
        b"Q~",
        rb"(?<![\w.~-])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
        text_only=True,
    ),
    _of("Azure DevOps", "azure-devops", b"AZDO", rb"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}"),
    _of("Bitbucket", "bitbucket", b"ATBB", rb"ATBB[A-Za-z0-9]{32}"),
    _key("Brevo", "brevo", b"xkeysib-", rb"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _of("Buildkite", "buildkite", b"bkua_ bkaj_ bkct_", rb"bk(?:ua|aj|ct)_[a-f0-9]{40}"),
    _key("Cerebras", "cerebras", b"csk-", rb"csk-[a-z0-9]{48}"),
    _of("CircleCI", "circleci", b"CCIPAT_ CCIPRJ_", rb"CCIP(?:AT|RJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}"),
    IssuedToken("clickhouse", "a key of ClickHouse", b"4b1d", rb"4b1d[A-Za-z0-9]{38}", _is_mixed, text_only=True),
    _of("Clojars", "clojars", b"CLOJARS_", rb"CLOJARS_[a-z0-9]{60}"),
    _key("Cloudflare", "cloudflare-origin", b"v1.0-", rb"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),
    _of("Cloudflare", "cloudflare", b"cfut_ cfat_ cfk_", rb"cf(?:ut|at|k)_[A-Za-z0-9]{40}[a-f0-9]{8}"),
    _of("Contentful", "contentful", b"CFPAT-", rb"CFPAT-[\w-]{43}"),
    IssuedToken("crates-io", "a token of crates.io", b"cio", rb"cio[A-Za-z0-9]{32}", text_only=True),
    _of("Databricks", "databricks", b"dapi", rb"dapi[a-f0-9]{32}(?:-\d)?"),
    _of("Defined Networking", "defined-networking", b"dnkey-", rb"dnkey-[a-z0-9=_-]{26}-[a-z0-9=_-]{52}"),
    _of("DigitalOcean", "digitalocean", b"dop_v1_ doo_v1_ dor_v1_", rb"do[opr]_v1_[a-f0-9]{64}"),
    IssuedToken(
        "discord-bot",
        "a token of Discord (bot)",
        b"MT Mj Mz ND NT Nj Nz OD OT",
        rb"(?:M[Tjz]|N[DTjz]|O[DT])[A-Za-z0-9]{21,25}\.[\w-]{6}\.[\w-]{27,38}",
        _names_a_number,
        text_only=True,
    ),
    _of("Discord (webhook)", "discord-webhook", b"/api/webhooks/", rb"/api/webhooks/\d{17,20}/[\w-]{60,80}"),
    _of("Docker Hub", "docker-hub", b"dckr_", rb"dckr_[po]at_[\w-]{20,40}"),
    _of(
        "Doppler",
        "doppler",
        b"dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
        rb"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    ),
    _of("Duffel", "duffel", b"duffel_", rb"duffel_(?:test|live)_[\w=-]{43}"),
    _of("Dynatrace", "dynatrace", b"dt0c01.", rb"dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _key("E2B", "e2b", b"e2b_", rb"e2b_[a-f0-9]{40}"),
    _key("EasyPost", "easypost", b"EZAK EZTK", rb"EZ[AT]K[A-Za-z0-9]{54}"),
    _key("ElevenLabs", "elevenlabs", b"sk_", rb"sk_[a-f0-9]{48}"),
    _of("Facebook", "facebook", b"EAAM EAAC EAAB", rb"EAA[MCB][A-Za-z0-9]{100,}"),
    _of("Figma", "figma", b"figd_", rb"figd_[\w-]{40,}"),
    IssuedToken("firecrawl", "a key of Firecrawl", b"fc-", rb"fc-[a-f0-9]{32}", text_only=True),
    _key("Flutterwave", "flutterwave", b"FLWSECK", rb"FLWSECK(?:_TEST)?-[a-h0-9]{12,40}(?:-X)?"),
    _of("Fly.io", "flyio", b"fm1a_ fm1r_ fm2_ fo1_", rb"(?:fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,}={0,3}|fo1_[\w-]{43})"),
    _of("Frame.io", "frameio", b"fio-u-", rb"fio-u-[\w=-]{64}"),
    *map(_github, (b"ghp", b"gho", b"ghu", b"ghs", b"ghr")),
    _of("GitHub", "github-fine-grained", b"github_pat_", rb"github_pat_\w{60,90}"),
    _of("GitLab", "gitlab-token", b"glpat-", rb"glpat-[\w-]{20,300}(?:\.[0-9a-z]{2}[0-9a-z]{7})?"),
    _of("GitLab", "gitlab-trigger", b"glptt-", rb"glptt-[0-9A-Za-z_-]{20,60}"),
    _of("GitLab", "gitlab-job", b"glcbt-", rb"glcbt-[0-9a-zA-Z]{1,5}_[\w-]{20}"),
    _of("GitLab", "gitlab-runner", b"glrt-", rb"glrt-(?:t\d_)?[\w-]{20,300}(?:\.[0-9a-z]{9})?"),
    _of("GitLab", "gitlab-runner-registration", b"GR1348941", rb"GR1348941[\w-]{20}"),
    *(
        _of("GitLab", f"gitlab-{name}", start, start + rb"[\w-]{20,70}")
        for name, start in (
            ("deploy", b"gldt-"), ("scim", b"glsoat-"), ("feed", b"glft-"), ("mail", b"glimt-"),
            ("agent", b"glagent-"), ("flags", b"glffct-"), ("oauth-secret", b"gloas-"), ("workspace", b"glwt-"),
        )
    ),
    _key("Google", "google-key", b"AIza", rb"AIza[\w-]{35}(?![\w-])"),
    _of("Google (OAuth client)", "google-client-secret", b"GOCSPX-", rb"GOCSPX-[\w-]{28}"),
    _of("Google (OAuth access)", "google-access", b"ya29.", rb"ya29\.[\w-]{20,}"),
    _of("Google (OAuth refresh)", "google-refresh", b"1//0", rb"1//0[\w-]{40,}"),
    _key("Grafana", "grafana-key", b"eyJrIjoi", rb"eyJrIjoi[A-Za-z0-9]{70,400}={0,3}"),
    IssuedToken(
        "grafana",
        "a token of Grafana",
        b"glsa_",
        rb"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}",
        checksum=ends_in_hex_crc32,
    ),
    _of("Grafana Cloud", "grafana-cloud", b"glc_", rb"glc_[A-Za-z0-9+/]{32,400}={0,3}"),
    _key("Groq", "groq", b"gsk_", rb"gsk_[A-Za-z0-9]{52}"),
    IssuedToken(
        "harness",
        "a token of Harness",
        b"pat. sat.",
        rb"[ps]at\.[\w-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}",
        text_only=True,
    ),
    _of("HashiCorp's Terraform cloud", "terraform-cloud", b".atlasv1.", rb"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}"),
    _key("Heroku", "heroku", b"HRKU-", rb"HRKU-AA[\w-]{58}"),
    _of("Hugging Face", "hugging-face", b"hf_", rb"hf_[A-Za-z0-9]{34,40}"),
    _of("Hugging Face", "hugging-face-organization", b"api_org_", rb"api_org_[A-Za-z]{34}"),
    _key("Infracost", "infracost", b"ico-", rb"ico-[A-Za-z0-9]{32}"),
    _key("Jina", "jina", b"jina_", rb"jina_[a-f0-9]{32}[\w-]{28}"),
    IssuedToken("jwt", "a signed token (JWT)", b"eyJ", rb"eyJ[\w-]{10,1000}\.eyJ[\w-]{10,4000}\.[\w-]{20,}", is_jwt),
    IssuedToken("langfuse", "a key of Langfuse", b"sk-lf-", rb"sk-lf-[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}"),
    _key("LangSmith", "langsmith", b"lsv2_", rb"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    IssuedToken(
        "launchdarkly",
        "a key of LaunchDarkly",
        b"sdk- api-",
        rb"(?:sdk|api)-[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}",
        text_only=True,
    ),
    _key("Linear", "linear", b"lin_api_ lin_oauth_", rb"lin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
    _of("Logfire", "logfire", b"pylf_v", rb"pylf_v\d_(?:us|eu|local|staging\w*)_[A-Za-z0-9]{40,60}"),
    IssuedToken("mailchimp", "a key of Mailchimp", b"-us", rb"[a-f0-9]{32}-us\d{1,2}", text_only=True),
    IssuedToken("mailgun", "a key of Mailgun", b"key-", rb"key-[a-f0-9]{32}", text_only=True),
    _of("Mapbox", "mapbox", b"sk.eyJ1Ijoi", rb"sk\.eyJ1Ijoi[\w-]{30,200}\.[\w-]{20,}"),
    _key("MaxMind", "maxmind", b"_mmk", rb"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    _of(
        "Microsoft Teams (webhook)",
        "teams-webhook",
        b"/webhookb2/",
        rb"/webhookb2/[a-z0-9-]{36}@[a-z0-9-]{36}/\w+/[a-z0-9]{32}",
    ),
    _key("Neon", "neon", b"napi_", rb"napi_[a-z0-9]{64}"),
    _of("Netlify", "netlify", b"nfp_", rb"nfp_[A-Za-z0-9]{36,40}"),
    _key("New Relic", "new-relic", b"NRAK- NRII-", rb"NR(?:AK-[A-Z0-9]{27}|II-[\w-]{32})"),
    _of("Notion", "notion", b"ntn_", rb"ntn_[0-9]{11}[A-Za-z0-9]{35}"),
    IssuedToken("npm", "a token of npm", b"npm_", rb"npm_[A-Za-z0-9]{36}", checksum=ends_in_base62_crc32),
    _key("NuGet", "nuget", b"oy2", rb"oy2[a-z0-9]{43}"),
    _key("NVIDIA", "nvidia", b"nvapi-", rb"nvapi-[\w-]{60,70}"),
    _key("Octopus Deploy", "octopus", b"API-", rb"API-[A-Z0-9]{26,32}"),
    _key("OpenAI", "openai", b"T3BlbkFJ", rb"sk-[\w-]{20,200}T3BlbkFJ[\w-]{20,200}"),
    _key("OpenAI", "openai-project", b"sk-", rb"sk-(?:proj|svcacct|admin)-[\w-]{40,200}"),
    IssuedToken("openai-user", "a key of OpenAI", b"sk-", rb"sk-[A-Za-z0-9]{48}", text_only=True),
    _of("OpenShift", "openshift", b"sha256~", rb"sha256~[\w-]{43}"),
    _key("OpenRouter", "openrouter", b"sk-or-", rb"sk-or-v1-[a-f0-9]{64}"),
    _key(
        "1Password",
        "1password-secret",
        b"A3-",
        rb"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
    ),
    _of("1Password", "1password-service", b"ops_eyJ", rb"ops_eyJ[A-Za-z0-9+/]{250,}={0,3}"),
    _key("Perplexity", "perplexity", b"pplx-", rb"pplx-[A-Za-z0-9]{48}"),
    _key("Pinecone", "pinecone", b"pcsk_", rb"pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}"),
    _of("PlanetScale", "planetscale", b"pscale_", rb"pscale_(?:tkn|oauth|pw)_[\w=.-]{32,64}"),
    _key("PostHog", "posthog", b"phx_", rb"phx_[A-Za-z0-9]{43,48}"),
    _key("Postman", "postman", b"PMAK-", rb"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _key("Prefect", "prefect", b"pnu_", rb"pnu_[A-Za-z0-9]{36}"),
    _of("Pulumi", "pulumi", b"pul-", rb"pul-[a-f0-9]{40}"),
    _of("PyPI", "pypi", b"pypi-AgE", rb"pypi-AgE[\w-]{50,}"),
    _of("ReadMe", "readme", b"rdme_", rb"rdme_[a-z0-9]{70}"),
    _key("Render", "render", b"rnd_", rb"rnd_[A-Za-z0-9]{28,32}"),
    _of("Replicate", "replicate", b"r8_", rb"r8_[A-Za-z0-9]{37}"),
    IssuedToken("resend", "a key of Resend", b"re_", rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}", _is_mixed, text_only=True),
    _key("RubyGems", "rubygems", b"rubygems_", rb"rubygems_[a-f0-9]{48}"),
    _of("Scalingo", "scalingo", b"tk-us-", rb"tk-us-[\w-]{48}"),
    _key("SendGrid", "sendgrid", b"SG.", rb"SG\.[\w-]{16,32}\.[\w-]{32,64}"),
    _of("Sentry", "sentry", b"sntry", rb"sntry(?:s_eyJ[A-Za-z0-9+/=_]{80,}|u_[a-f0-9]{64})"),
    _of("Shippo", "shippo", b"shippo_", rb"shippo_(?:live|test)_[a-f0-9]{40}"),
    _of("Shopify", "shopify", b"shpat_ shpca_ shppa_ shpss_", rb"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _of("Slack", "slack-app", b"xapp-", rb"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{20,}"),
    _of("Slack", "slack-bot", b"xoxb-", rb"xoxb-[0-9]{8,14}-[A-Za-z0-9-]{18,}"),
    _of("Slack", "slack-configuration", b"xoxe", rb"xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{100,180}"),
    _of("Slack", "slack-user", b"xox", rb"xox[aceoprs]-(?:\d+-){0,4}[A-Za-z0-9-]{15,64}"),
    _of(
        "Slack (webhook)",
        "slack-webhook",
        b"hooks.slack.com/",
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,80}",
    ),
    _of("SonarQube", "sonarqube", b"sqa_ squ_ sqp_", rb"sq[uap]_[a-f0-9]{40}"),
    _of("Sourcegraph", "sourcegraph", b"sgp_", rb"sgp_(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}"),
    _of("Square", "square", b"sq0atp- sq0csp- sq0idp-", rb"sq0(?:atp|csp|idp)-[\w-]{22,60}"),
    _of("Square", "square-access", b"EAAA", rb"EAAA[\w-]{60}"),
    _key("Stripe", "stripe", b"k_live_", rb"[sr]k_live_[A-Za-z0-9]{20,110}"),
    _key("Stripe (test mode)", "stripe-test", b"k_test_", rb"[sr]k_test_[A-Za-z0-9]{20,110}"),
    _key("Stripe (webhook)", "stripe-webhook", b"whsec_", rb"whsec_[A-Za-z0-9+/]{32,64}={0,2}"),
    _key("Supabase", "supabase", b"sbp_ sb_secret_", rb"sb(?:p_[a-f0-9]{40}|_secret_[\w-]{30,})"),
    _key("Tailscale", "tailscale", b"tskey-", rb"tskey-[a-z]{3,8}-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,44}"),
    _key("Tavily", "tavily", b"tvly-", rb"tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}"),
    IssuedToken("telegram", "a token of Telegram", b":AA", rb"\d{8,10}:AA[\w-]{33}", text_only=True),
    _key("Together", "together", b"tgp_v1_", rb"tgp_v1_[\w-]{43}"),
    IssuedToken("twilio", "a key of Twilio", b"SK", rb"SK[0-9a-f]{32}", text_only=True),
    _of("Typeform", "typeform", b"tfp_", rb"tfp_[\w=.-]{59}"),
    _of("Vault", "vault", b"hvs. hvb. hvr.", rb"hv[sbr]\.[\w-]{24,300}"),
    IssuedToken(
        "vault-legacy",
        "a token of Vault",
        b"s.",
        rb"s\.[A-Za-z0-9]{24}",
        _is_mixed,
        text_only=True,
    ),
    _of("Vercel", "vercel", b"vercel_blob_rw_", rb"vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30}"),
    _key("Weights & Biases", "wandb", b"wandb_v1_", rb"wandb_v1_\w{60,100}"),
    _key("xAI", "xai", b"xai-", rb"xai-[A-Za-z0-9]{80}"),
    _key("Yandex", "yandex", b"AQVN", rb"AQVN[\w-]{35,38}"),
    _of("Yandex", "yandex-access", b"t1.", rb"t1\.[\w-]{30,}={0,2}\.[\w-]{86}={0,2}"),
)  # fmt: skip


_ANCHORS: Final = tuple((word, token) for token in TOKENS for word in token.anchors.split())


def tokens_in(sifted: bytes, *, joined: bool = False, noise: bool = False) -> Iterator[tuple[Secret, bytes]]:
    """The tokens in ``sifted``, what :func:`cannery.secrets.sieve.sift` leaves of a content, each with its own text.

    With ``joined`` a token may have letters before and behind it, as the texts of a program lie; with ``noise`` the
    content may be machine code, of which short forms are not looked for.
    """
    if not sifted:
        return
    seen = {token: None for word, token in _ANCHORS if word in sifted}
    for token in seen:
        if not (noise and token.text_only):
            texts = dict.fromkeys(match[0] for match in token.alone.finditer(sifted))
            if joined:
                joints = (match[0] for match in token.anywhere.finditer(sifted))
                texts |= dict.fromkeys(text for text in joints if _is_certain(token, text))
            for text in texts:
                if (found := _judged(token, text)) is not None:
                    yield found, text


def _is_certain(token: IssuedToken, text: bytes) -> bool:
    """True for a text that is a token even among others: names of functions, too, are long and in one case or two."""
    if token.checksum is not None:
        return token.checksum(text)
    return sum(map(text.count, _DIGITS)) >= _SOME_DIGITS and entropy(text) >= _HIGH


def _judged(token: IssuedToken, text: bytes) -> Secret | None:
    proven = token.checksum is not None and token.checksum(text)
    if not token.has_form(text) or (not proven and is_made_up(text)):
        return None
    return Secret(token.kind, proven=proven)
