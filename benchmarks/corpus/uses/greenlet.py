import greenlet


def ping(value):
    while True:
        value = main.switch(value * 2)


main = greenlet.getcurrent()
other = greenlet.greenlet(ping)
print(other.switch(1), other.switch(10), other.dead, bool(other))
