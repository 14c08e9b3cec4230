from trove_classifiers import all_classifiers, classifiers, deprecated_classifiers, sorted_classifiers

print("Typing :: Typed" in classifiers, len(sorted_classifiers) > 500, len(all_classifiers) >= len(classifiers))
print(bool(deprecated_classifiers))
