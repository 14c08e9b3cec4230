import six
from six.moves import configparser, queue, range, urllib
from six.moves.urllib.parse import urlencode

print(list(range(3)), six.PY3, urlencode({"a": 1}), queue.Queue().empty(), configparser.ConfigParser().sections())
print(urllib.parse.quote("a b"), six.ensure_text(b"text"), six.moves.http_client.OK)


@six.add_metaclass(type("Meta", (type,), {}))
class Some(object):
    pass


print(type(Some).__name__)
