import jwt

token = jwt.encode({"sub": "ann", "n": 1}, "s" * 32, algorithm="HS256")
print(jwt.decode(token, "s" * 32, algorithms=["HS256"]), jwt.get_unverified_header(token))
try:
    jwt.decode(token, "t" * 32, algorithms=["HS256"])
except jwt.InvalidSignatureError as error:
    print(error)
try:
    jwt.encode({}, "k", algorithm="RS256")
except NotImplementedError as error:
    print(type(error).__name__)
