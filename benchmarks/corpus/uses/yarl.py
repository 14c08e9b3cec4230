from yarl import URL

url = URL("http://ünï.example:8080/a b/ö?q=1&q=2#f") / "more" % {"x": "y z"}
print(url, url.host, url.raw_host, url.query_string, url.with_port(None).origin(), URL("/a/../b").path)
print(url.update_query(q=3).query.getall("q"), url.human_repr(), URL.build(scheme="https", host="a.example", path="/x"))
