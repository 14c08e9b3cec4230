import ssl

import certifi

context = ssl.create_default_context(cafile=certifi.where())
print(len(context.get_ca_certs()) > 50, "BEGIN CERTIFICATE" in certifi.contents())
