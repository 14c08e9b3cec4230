from rpds import HashTrieMap, HashTrieSet, List

one = HashTrieMap({"a": 1})
two = one.insert("b", 2)
print(len(one), sorted(two.items()), sorted(HashTrieSet([1, 2]).insert(3)), List([1, 2]).push_front(0).first)
