from charset_normalizer import detect, from_bytes

for text, encoding in (
    ("Bонжорно, как дела? Всё хорошо, спасибо большое.", "cp1251"),
    ("これは日本語の文章です。漢字も含まれています。", "shift_jis"),
    ("Liebe Grüße aus München, schönes Wetter heute!", "latin-1"),
    ("plain", "ascii"),
    ("ünïcödé wörds hére", "utf-16"),
):
    best = from_bytes(text.encode(encoding, "ignore")).best()
    print(best and best.encoding, detect(text.encode(encoding, "ignore"))["language"])
