#include "tests/net/spaces.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>

enum { CABLE_BUFFER = 4 << 20 };

static void write_file(const char *path, const char *text)
{
    size_t size = strlen(text);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size) {
        perror(path);
        exit(1);
    }
    (void)close(fd);
}

void spaces_enter(void)
{
    char map[32];
    unsigned uid = (unsigned)getuid(), gid = (unsigned)getgid();
    if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET) != 0) {
        perror("a network namespace");
        exit(1);
    }
    if (uid == 0)
        return;
    write_file("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
}

void space_address(size_t number, char text[SPACE_ADDRESS_MAX])
{
    (void)snprintf(text, SPACE_ADDRESS_MAX, "10.77.0.%zu", number + 1);
}

/* --- doing things in a space ----------------------------------------------------------------- */

struct errand {
    int fd; /* -1: in a space that is made for it */
    void (*do_it)(void *);
    void *argument;
    int result;
};

static void *run_errand(void *given)
{
    struct errand *self = (struct errand *)given;
    self->result = self->fd < 0 ? unshare(CLONE_NEWNET) : setns(self->fd, CLONE_NEWNET);
    if (self->result == 0)
        self->do_it(self->argument);
    return NULL;
}

static void go(int fd, void (*do_it)(void *), void *argument)
{
    struct errand errand = {.fd = fd, .do_it = do_it, .argument = argument};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_errand, &errand), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(errand.result, 0);
}

void spaces_do(const struct spaces *self, size_t number, void (*do_it)(void *), void *argument)
{
    go(self->space[number].fd, do_it, argument);
}

static void open_own(void *fd)
{
    *(int *)fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* --- cables ---------------------------------------------------------------------------------- */

/* Large packets that the card would cut, sums that it would fill in: there is no card. */
static void switch_offloads_off(void *failed)
{
    static const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct ethtool_value off = {.cmd = commands[i]};
        struct ifreq request = {.ifr_name = "eth0"};
        request.ifr_data = (char *)&off;
        *(int *)failed |= ioctl(fd, SIOCETHTOOL, &request);
    }
    (void)close(fd);
}

static void run_ip(const char *enter, const char *batch)
{
    char command[128];
    (void)snprintf(command, sizeof command, "%s ip -batch - >&2", enter);
    FILE *ip = popen(command, "w");
    assert_non_null(ip);
    assert_true(fputs(batch, ip) >= 0);
    assert_int_equal(pclose(ip), 0);
}

static void lay_cable(const struct spaces *self, size_t number, const char *end)
{
    char batch[2048], enter[96], address[SPACE_ADDRESS_MAX];
    (void)snprintf(batch, sizeof batch,
                   "link add %s type veth peer name eth0 netns %s\n"
                   "link set %s up mtu %d\n",
                   end, self->space[number].path, end, SPACE_MTU);
    run_ip("", batch);
    space_address(number, address);
    int size = snprintf(batch, sizeof batch,
                        "link set lo up\nlink set eth0 up mtu %d address 02:00:00:00:00:%02zx\n"
                        "addr add %s/24 dev eth0\n",
                        SPACE_MTU, number + 1, address);
    for (size_t other = 0; other < self->count; other++) {
        if (other == number)
            continue;
        space_address(other, address);
        size += snprintf(batch + size, sizeof batch - (size_t)size,
                         "neigh replace %s lladdr 02:00:00:00:00:%02zx dev eth0 nud permanent\n",
                         address, other + 1);
    }
    (void)snprintf(enter, sizeof enter, "nsenter --net=%s", self->space[number].path);
    run_ip(enter, batch);
}

static int cable_open(const char *end)
{
    int size = CABLE_BUFFER, yes = 1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
    address.sll_ifindex = (int)if_nametoindex(end);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* as much as it may */
    /* The system gives a cable its queue some time after it was plugged in; until then it takes
     * frames and drops them. So no queue. */
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void spaces_new(struct spaces *self, size_t count)
{
    static unsigned cables; /* a space that was given up keeps its cable for a while */
    assert_true(count <= SPACES_MAX);
    *self = (struct spaces){.count = count};
    for (size_t i = 0; i < count; i++) {
        struct space *space = &self->space[i];
        space->fd = -1;
        go(-1, open_own, &space->fd);
        assert_true(space->fd >= 0);
        (void)snprintf(space->path, sizeof space->path, "/proc/%d/fd/%d", (int)getpid(), space->fd);
    }
    for (size_t i = 0; i < count; i++) {
        char end[16];
        int failed = 0;
        (void)snprintf(end, sizeof end, "end%u", ++cables);
        lay_cable(self, i, end);
        spaces_do(self, i, switch_offloads_off, &failed);
        assert_int_equal(failed, 0);
        self->space[i].cable = cable_open(end);
    }
}

void spaces_free(struct spaces *self)
{
    for (size_t i = 0; i < self->count; i++) {
        (void)close(self->space[i].cable);
        (void)close(self->space[i].fd);
    }
    *self = (struct spaces){0};
}
