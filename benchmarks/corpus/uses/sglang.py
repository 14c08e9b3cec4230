import sglang

print(sglang.__version__ != "")
