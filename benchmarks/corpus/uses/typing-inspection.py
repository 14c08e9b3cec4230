from typing import Annotated, Literal, Union

from typing_inspection import typing_objects
from typing_inspection.introspection import AnnotationSource, get_literal_values, inspect_annotation, is_union_origin

print(list(get_literal_values(Literal[1, "a"])), is_union_origin(Union), typing_objects.is_literal(Literal))
found = inspect_annotation(Annotated[int, "m"], annotation_source=AnnotationSource.ANY)
print(found.type, found.metadata)
