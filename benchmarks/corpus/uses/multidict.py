from multidict import CIMultiDict, MultiDict, istr

found = MultiDict([("a", 1), ("b", 2), ("a", 3)])
found.add("c", 4)
print(found.getall("a"), found.popone("a"), list(found.items()), CIMultiDict(Key="v")["kEY"], istr("Key").title())
