import io

from python_multipart import FormParser, MultipartParser, QuerystringParser, parse_form
from python_multipart.multipart import parse_options_header

body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--b\r\n'
body += b'Content-Disposition: form-data; name="n"\r\n\r\n1\r\n--b--\r\n'
found = []
parse_form(
    {"Content-Type": b"multipart/form-data; boundary=b", "Content-Length": str(len(body)).encode()},
    io.BytesIO(body),
    lambda field: found.append((field.field_name, field.value)),
    lambda file: found.append((file.field_name, file.file_name, file.size)),
)
print(found, parse_options_header("form-data; name=x"))
print([each.__name__ for each in (FormParser, MultipartParser, QuerystringParser)])
