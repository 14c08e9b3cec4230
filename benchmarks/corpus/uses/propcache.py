from propcache.api import cached_property, under_cached_property


class Some:
    def __init__(self):
        self._cache = {}
        self.count = 0

    @cached_property
    def one(self):
        self.count += 1
        return self.count

    @under_cached_property
    def two(self):
        self.count += 10
        return self.count


some = Some()
print(some.one, some.one, some.two, some.two, some._cache)
