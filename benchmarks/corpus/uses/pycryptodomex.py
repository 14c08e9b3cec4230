from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA256
from Cryptodome.PublicKey import ECC

sealed, tag = AES.new(b"k" * 16, AES.MODE_GCM, nonce=b"n" * 12).encrypt_and_digest(b"text")
print(sealed.hex(), tag.hex(), SHA256.new(b"text").hexdigest(), ECC.generate(curve="P-256").has_private())
