import referencing.jsonschema
from referencing import Registry, Resource

resource = Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "u:a", "x": {"y": 1}})
registry = Registry().with_resource("u:a", resource)
print(registry.resolver("u:a").lookup("#/x").contents, referencing.jsonschema.DRAFT7.name)
try:
    registry.resolver().lookup("u:b")
except referencing.exceptions.Unresolvable as error:
    print(type(error).__name__, error.ref)
