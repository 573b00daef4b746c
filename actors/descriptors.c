#include "actors/descriptors.h"

#include "base/limits.h"

#include <sys/resource.h>

/* A node that starts has about 60 open; the log and what is opened for a while come on top. */
enum { OWN = 96, CONNECTIONS_MIN = 80, WANTED = OWN + CONNECTIONS_MAX + CLIENT_CONNECTIONS_MAX };

int descriptors_share(struct descriptor_shares *shares, struct reason *why)
{
    struct rlimit limit = {.rlim_cur = WANTED};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < WANTED) {
        struct rlimit raised = limit;
        raised.rlim_cur = limit.rlim_max < WANTED ? limit.rlim_max : WANTED;
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur < OWN + CONNECTIONS_MIN)
        return fail(why, ERR_BUSY,
                    "this process may open %llu files and sockets, and needs at least %d "
                    "(ulimit -n)",
                    (unsigned long long)limit.rlim_cur, OWN + CONNECTIONS_MIN);
    size_t rest = limit.rlim_cur < WANTED ? (size_t)limit.rlim_cur - OWN : WANTED - OWN;
    shares->peers = rest / 2 < CONNECTIONS_MAX ? rest / 2 : CONNECTIONS_MAX;
    rest -= shares->peers;
    shares->clients = rest < CLIENT_CONNECTIONS_MAX ? rest : CLIENT_CONNECTIONS_MAX;
    return 0;
}
