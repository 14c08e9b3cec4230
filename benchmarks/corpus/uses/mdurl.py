import mdurl

found = mdurl.parse("http://user@ex.example:80/a%20b?c=d#e")
print(found.hostname, found.port, found.pathname, mdurl.encode("http://a.example/ü b"), mdurl.decode("%C3%BC"))
