/* A health check: asks the program in the same container for a path over HTTP, and ends with 0 if it answers 2xx or 3xx.

   health [PORT [PATH]]: what isn't given is what cannery has written into `settings`. With 1 it says why on standard
   error, which engines show. */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "system.h"

#define PATIENCE 5 /* seconds to connect, and without a byte */
#define MARK "cannery health settings\n"

/* Behind the mark: a port, a host and a path, each with a null behind it. */
static const volatile char settings[512] = MARK;

static char request[1400];
static unsigned long filled;

static void add(const char *text)
{
    for (unsigned long at = 0; text[at] && filled < sizeof request; at++)
        request[filled++] = text[at];
}

static int number_in(const char *text)
{
    int number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (*text - '0');
    return number;
}

/* A socket that is connected to this machine's `port`, by IPv4 or else by IPv6; -1 where nobody listens. */
static long connected(int port)
{
    struct timeval patience = {PATIENCE, 0};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    four.sin_port = six.sin6_port = (in_port_t)((port & 255) << 8 | (port >> 8 & 255));
    ((unsigned char *)&four.sin_addr)[0] = 127;
    ((unsigned char *)&four.sin_addr)[3] = 1;
    ((unsigned char *)&six.sin6_addr)[15] = 1;
    for (int family = 0; family < 2; family++) {
        long to = call(SYS_socket, family ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, 0, 0);
        if (to < 0)
            continue;
        call(SYS_setsockopt, to, SOL_SOCKET, SO_RCVTIMEO, (long)&patience, sizeof patience);
        call(SYS_setsockopt, to, SOL_SOCKET, SO_SNDTIMEO, (long)&patience, sizeof patience);
        long address = family ? (long)&six : (long)&four;
        if (call(SYS_connect, to, address, family ? (long)sizeof six : (long)sizeof four, 0, 0) == 0)
            return to;
        call(SYS_close, to, 0, 0, 0, 0);
    }
    return -1;
}

void begin(long *stack)
{
    const char *port = (const char *)settings + sizeof MARK - 1;
    const char *host = port + length_of(port) + 1;
    const char *path = host + length_of(host) + 1;
    const char **arguments = (const char **)(stack + 1);
    if (stack[0] > 1)
        port = arguments[1];
    if (stack[0] > 2)
        path = arguments[2];

    long to = connected(number_in(port));
    if (to < 0) {
        say("nobody listens on port ");
        say(port);
        say("\n");
        end(1);
    }
    add("GET ");
    add(path);
    add(" HTTP/1.1\r\nHost: ");
    add(host);
    add("\r\nUser-Agent: cannery-health\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    for (unsigned long sent = 0; sent < filled;) {
        long count = call(SYS_sendto, to, (long)(request + sent), (long)(filled - sent), MSG_NOSIGNAL, 0);
        if (count <= 0)
            break;
        sent += (unsigned long)count;
    }

    static char answer[256];
    unsigned long there = 0;
    while (there < sizeof answer - 1) {
        long count = call(SYS_recvfrom, to, (long)(answer + there), (long)(sizeof answer - 1 - there), 0, 0);
        if (count <= 0)
            break;
        there += (unsigned long)count;
        if (there > 12) /* HTTP/1.1 200 */
            break;
    }
    if (there > 12 && answer[0] == 'H' && answer[8] == ' ' && (answer[9] == '2' || answer[9] == '3'))
        end(0);
    for (unsigned long at = 0; at < there; at++)
        if (answer[at] == '\r' || answer[at] == '\n')
            answer[at] = 0;
    say(there ? answer : "no answer");
    say("\n");
    end(1);
}
