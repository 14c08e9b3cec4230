import shellingham

try:
    print(shellingham.detect_shell()[0] != "")
except shellingham.ShellDetectionFailure:
    print(True)
