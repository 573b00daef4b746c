/* Where clients are served: endpoints checked, bound, and with CURVE where they are not loopback.
 */
#include "actors/client_router_state.h"

#include <sys/un.h>

static bool is_loopback(const char *endpoint)
{
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return true;
    const char *host = endpoint + 6;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost:", 10) == 0 ||
           strncmp(host, "[::1]:", 6) == 0;
}

/* libzmq takes a port modulo 65536. */
static bool is_tcp(const char *endpoint)
{
    const char *port = strrchr(endpoint, ':');
    char *end;
    if (strncmp(endpoint, "tcp://", 6) != 0 || port <= endpoint + 6)
        return false;
    unsigned long number = strtoul(port + 1, &end, 10);
    return streq(port, ":*") || (isdigit((unsigned char)port[1]) && !*end && number <= UINT16_MAX);
}

static bool is_ipc(const char *endpoint)
{
    size_t size = strlen(endpoint);
    return strncmp(endpoint, "ipc://", 6) == 0 && size > 6 &&
           size - 6 < sizeof((struct sockaddr_un *)NULL)->sun_path;
}

static int check_endpoint(const char *endpoint, struct reason *why)
{
    if (is_tcp(endpoint) || is_ipc(endpoint))
        return 0;
    return fail(why, ERR_BAD_REQUEST,
                "--client %.200s: tcp://ADDRESS:PORT is wanted, PORT from 0 (any) to 65535, or "
                "ipc://PATH of at most %zu bytes",
                endpoint, sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
}

static int bind_one(client_router_t *self, const char *endpoint, struct reason *why)
{
    char wanted[512];
    size_t size = strlen(endpoint);
    bool any_port = size > 2 && strcmp(endpoint + size - 2, ":0") == 0;
    (void)snprintf(wanted, sizeof wanted, "%.*s%s", (int)(any_port ? size - 1 : size), endpoint,
                   any_port ? "*" : "");
    zsock_set_ipv6(self->socket, strchr(endpoint, '[') != NULL);
    if (zmq_bind(self->handle, wanted) != 0)
        return fail(why, ERR_IO, "clients cannot be served at %s: %s; choose another --client",
                    endpoint, zmq_strerror(errno));
    char last[512];
    size_t last_size = sizeof last;
    (void)zmq_getsockopt(self->handle, ZMQ_LAST_ENDPOINT, last, &last_size);
    size_t used = strlen(self->bound);
    (void)snprintf(self->bound + used, sizeof self->bound - used, "%s%s", used ? "," : "", last);
    return 0;
}

/* Loads the server's CURVE certificate, or makes it (secret part with mode 0600). */
static zcert_t *own_certificate(const char *data_dir, struct reason *why)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/curve.key", data_dir);
    zcert_t *cert = zcert_load(path);
    if (cert)
        return cert;
    if (access(path, F_OK) == 0) { /* clients know the old key: it is not replaced unasked */
        (void)fail(why, ERR_IO, "%s cannot be read; mend it, or remove it to get a new key", path);
        return NULL;
    }
    mode_t mask = umask(077);
    cert = zcert_new();
    int rc = zcert_save(cert, path);
    umask(mask);
    if (rc != 0) {
        zcert_destroy(&cert);
        (void)fail(why, ERR_IO, "%s could not be written: %s", path, strerror(errno));
    }
    return cert;
}

/* From here on what is bound asks for CURVE. (libzmq gives each listener the options of its time.)
 */
static int use_curve(client_router_t *self, const struct client_router_options *options,
                     struct reason *why)
{
    zcert_t *cert = own_certificate(options->data_dir, why);
    if (!cert)
        return ERR_IO;
    self->auth = zactor_new(zauth, NULL);
    zstr_sendx(self->auth, "CURVE", options->client_keys, NULL);
    zsock_wait(self->auth);
    self->public_key = strdup(zcert_public_txt(cert));
    zsock_set_zap_domain(self->socket, "weir");
    zcert_apply(cert, self->socket);
    zsock_set_curve_server(self->socket, 1);
    zcert_destroy(&cert);
    return 0;
}

int client_router_bind(client_router_t *self, const struct client_router_options *options,
                       struct reason *why)
{
    int rc = 0;
    const char *remote = NULL;
    for (const char *const *e = options->endpoints; *e && rc == 0; e++) {
        if (is_loopback(*e))
            rc = bind_one(self, *e, why);
        else
            remote = *e;
    }
    if (rc || !remote)
        return rc;
    rc = use_curve(self, options, why);
    for (const char *const *e = options->endpoints; *e && rc == 0; e++)
        if (!is_loopback(*e))
            rc = bind_one(self, *e, why);
    return rc;
}

int client_router_check(const struct client_router_options *options, struct reason *why)
{
    int rc = 0;
    for (const char *const *e = options->endpoints; *e && rc == 0; e++) {
        rc = check_endpoint(*e, why);
        if (rc == 0 && !is_loopback(*e) && !options->client_keys)
            rc = fail(why, ERR_DENIED,
                      "--client %.200s is not a loopback address: clients from elsewhere need "
                      "CURVE; give "
                      "--client-keys DIR with their public certificates",
                      *e);
    }
    if (rc == 0 && options->client_keys && !zsys_file_exists(options->client_keys))
        rc = fail(why, ERR_IO, "%s: there is no such directory of client certificates",
                  options->client_keys);
    return rc;
}
