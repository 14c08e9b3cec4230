import rsa

public, private = rsa.newkeys(512)
print(rsa.decrypt(rsa.encrypt(b"word", public), private), rsa.verify(b"m", rsa.sign(b"m", private, "SHA-256"), public))
print(rsa.PublicKey.load_pkcs1(public.save_pkcs1()) == public)
try:
    rsa.verify(b"n", rsa.sign(b"m", private, "SHA-256"), public)
except rsa.VerificationError as error:
    print(error)
