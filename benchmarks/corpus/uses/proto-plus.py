import proto


class Kind(proto.Enum):
    NONE = 0
    SOME = 1


class Song(proto.Message):
    title = proto.Field(proto.STRING, number=1)
    kind = proto.Field(Kind, number=2)
    at = proto.Field(proto.INT64, number=3)
    tags = proto.RepeatedField(proto.STRING, number=4)


song = Song(title="t", kind=Kind.SOME, tags=["a"], at=3)
print(Song.to_json(song, indent=None), Song.deserialize(Song.serialize(song)) == song, Song.to_dict(song)["kind"])
