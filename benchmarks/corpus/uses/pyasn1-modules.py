import base64

from pyasn1.codec.der import decoder, encoder
from pyasn1.type import univ
from pyasn1_modules import rfc2315, rfc2459, rfc5280, rfc8017

name = rfc5280.AttributeTypeAndValue()
name["type"] = rfc5280.id_at_commonName
name["value"] = encoder.encode(rfc5280.X520CommonName().setComponentByName("utf8String", "ann"))
raw = encoder.encode(name)
found, rest = decoder.decode(raw, asn1Spec=rfc5280.AttributeTypeAndValue())
print(base64.b64encode(raw).decode(), found["type"], rest == b"")
key = rfc8017.RSAPublicKey()
key["modulus"], key["publicExponent"] = 3233, 17
print(encoder.encode(key).hex(), univ.Integer(3), rfc2459.id_at_commonName, rfc2315.data)
