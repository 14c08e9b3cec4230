from cachetools import LFUCache, LRUCache, TTLCache, cached
from cachetools.func import lru_cache
from cachetools.keys import hashkey

calls = []


@cached(LRUCache(2), key=lambda n: hashkey(n % 2))
def f(n):
    calls.append(n)
    return n


print([f(n) for n in range(5)], calls, LFUCache(1).maxsize, TTLCache(1, 5).ttl)
print(lru_cache(maxsize=2)(abs)(-3))
