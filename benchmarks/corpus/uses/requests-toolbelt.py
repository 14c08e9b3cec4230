from requests_toolbelt import MultipartDecoder, MultipartEncoder, sessions, user_agent
from requests_toolbelt.adapters import host_header_ssl, source
from requests_toolbelt.utils import dump

encoder = MultipartEncoder({"a": "1", "f": ("n.txt", b"text", "text/plain")}, boundary="b")
body = encoder.read()
decoder = MultipartDecoder(body, encoder.content_type)
print([part.text for part in decoder.parts], sessions.BaseUrlSession("http://ex.example/a/").create_url("b"))
print(user_agent("mine", "1").split()[0], dump.__name__, source.SourceAddressAdapter.__name__, host_header_ssl.__name__)
