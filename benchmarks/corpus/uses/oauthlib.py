from oauthlib.oauth1 import Client
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError, RequestValidator, WebApplicationServer

client = BackendApplicationClient("id", scope="read")
print(client.prepare_request_body(), client.parse_request_body_response('{"access_token": "t", "expires_in": 9}')["access_token"])
uri, headers, _ = Client("key", client_secret="s", timestamp="1", nonce="n").sign("http://ex.example/?a=b")
print(headers["Authorization"], InvalidGrantError().json, WebApplicationServer(RequestValidator()).grant_types.keys())
