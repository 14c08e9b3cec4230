from requests_oauthlib import OAuth1, OAuth1Session, OAuth2Session

url, state = OAuth2Session("id", redirect_uri="http://localhost/", scope=["read"]).authorization_url(
    "https://ex.example/auth", state="s"
)
print(url, state)
session = OAuth1Session("key", client_secret="secret", resource_owner_key="k", resource_owner_secret="s")
print(session.auth.client.signature_method, OAuth1("key").client.client_key)
