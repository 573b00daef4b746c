#include "actors/node.h"
#include "actors/spare_memory.h"
#include "base/base58.h"
#include "base/limits.h"
#include "base/trace.h"
#include "client/cli.h"
#include "client/home_path.h"
#include "main/bad_page.h"
#include "main/commands.h"
#include "main/operator_log.h"
#include "main/node_settings.h"
#include "proto/hello.h"

#include <czmq.h>
#include <malloc.h>

static int complain(const struct reason *why, int exit_code)
{
    (void)fprintf(stderr, "weir: node: %s\n", why->text);
    return exit_code;
}

/* The folder that is named, else the usual one, which is written into `usual`. */
static int data_dir_of(const struct node_settings *settings, char *usual, size_t room,
                       const char **path, struct reason *why)
{
    *path = node_settings_text(settings, SETTING_data, NULL);
    if (*path)
        return 0;
    *path = usual;
    return home_path_data(usual, room)
               ? 0
               : fail(why, ERR_BAD_REQUEST, HOME_PATH_NONE "; name the data's folder with --data");
}

static int durability(const struct node_settings *settings, bool *relaxed, struct reason *why)
{
    const char *when = node_settings_text(settings, SETTING_durability, "full");
    *relaxed = streq(when, "relaxed");
    if (*relaxed || streq(when, "full"))
        return 0;
    return node_settings_wrong(settings, SETTING_durability, when, "full or relaxed", why);
}

static int start_log(const struct node_settings *settings, struct reason *why)
{
    const char *level = node_settings_text(settings, SETTING_log_level, "info");
    bool json;
    int rc = node_settings_flag(settings, SETTING_log_json, &json, why);
    if (rc || operator_log_start(level, json))
        return rc;
    return node_settings_wrong(settings, SETTING_log_level, level, "error, warn, info or debug",
                               why);
}

/* HOST:PORT to listen at: port 0 is any; an IPv6 host stands in brackets. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end;
    if (!colon || colon == text || !isdigit((unsigned char)colon[1]))
        return false;
    return strtoul(colon + 1, &end, 10) <= UINT16_MAX && !*end;
}

/* An address that others can dial. */
static bool is_dialled(const char *text)
{
    return hello_is_address(slice_text(text)) && !hello_is_any_host(slice_text(text));
}

static bool is_peer(const char *text)
{
    uint8_t id[32];
    const char *at = strchr(text, '@');
    return at && base58_decode(slice_of(text, (size_t)(at - text)), id, sizeof id) == 0 &&
           hello_is_address(slice_text(at + 1));
}

static int peer_options(const struct node_settings *settings, struct node_peer_options *peers,
                        struct reason *why)
{
    const char *listen = node_settings_text(settings, SETTING_listen, "0.0.0.0:31337");
    const char *role = node_settings_text(settings, SETTING_role, "peer");
    const char *most = node_settings_text(settings, SETTING_max_peers, "64");
    *peers = (struct node_peer_options){
        .listen = streq(listen, "none") ? NULL : listen,
        .advertise = node_settings_text(settings, SETTING_advertise, NULL),
        .gateways = settings->values[SETTING_gateway],
        .network = node_settings_text(settings, SETTING_network, "weir"),
        .is_gateway = streq(role, "gateway"),
        .peers_max = strtoul(most, NULL, 10),
    };
    if (peers->listen && !is_address(listen))
        return node_settings_wrong(settings, SETTING_listen, listen, "HOST:PORT is wanted, or none",
                                   why);
    if (peers->advertise && !is_dialled(peers->advertise))
        return node_settings_wrong(settings, SETTING_advertise, peers->advertise,
                                   "HOST:PORT is wanted, an address that others can dial", why);
    if (!streq(role, "peer") && !streq(role, "gateway"))
        return node_settings_wrong(settings, SETTING_role, role, "peer or gateway", why);
    if (strlen(peers->network) > NETWORK_BYTES_MAX || !*peers->network)
        return node_settings_wrong(settings, SETTING_network, peers->network, "1 to 64 bytes", why);
    if (strspn(most, "0123456789") != strlen(most) || strlen(most) > 5 || !peers->peers_max)
        return node_settings_wrong(settings, SETTING_max_peers, most, "a number from 1 to 99999",
                                   why);
    for (const char *const *gateway = peers->gateways; *gateway; gateway++)
        if (!is_peer(*gateway))
            return node_settings_wrong(settings, SETTING_gateway, *gateway,
                                       "ID@HOST:PORT is wanted, the ID as its ready line tells it",
                                       why);
    return 0;
}

static int options_of(const struct node_settings *settings, const char *data_dir,
                      struct node_options *options, struct reason *why)
{
    static const char *const default_client[] = {"tcp://127.0.0.1:7510", NULL};
    *options = (struct node_options){
        .data_dir = data_dir,
        .client_endpoints =
            settings->counts[SETTING_client] ? settings->values[SETTING_client] : default_client,
        .client_keys = node_settings_text(settings, SETTING_client_keys, NULL),
    };
    int rc = durability(settings, &options->relaxed, why);
    if (rc == 0)
        rc = node_settings_size(settings, SETTING_max_store, UINT64_MAX, &options->store_bytes_max,
                                why);
    if (rc == 0)
        rc = node_settings_size(settings, SETTING_max_state, STATE_BYTES_MAX,
                                &options->state_bytes_max, why);
    if (rc == 0 && options->state_bytes_max > STATE_BYTES_CEILING)
        rc = fail(why, ERR_BAD_REQUEST, "--max-state: at most %u MiB", STATE_BYTES_CEILING >> 20);
    return rc ? rc : peer_options(settings, &options->peers, why);
}

/* Waits for a signal that was blocked before any thread began, and keeps house meanwhile. */
static int wait_for(const sigset_t *signals)
{
    const struct timespec look = {.tv_sec = SPARE_LOOK_S};
    int got;
    while ((got = sigtimedwait(signals, NULL, &look)) < 0)
        if (errno == EAGAIN)
            spare_memory_give_back(SPARE_MEMORY_BYTES);
    return got;
}

/* Runs until one of the signals. */
static int run_node(const struct node_options *options, const sigset_t *signals)
{
    struct reason why = {{0}};
    node_t *node = NULL;
    int rc = node_start(options, &node, &why);
    if (rc)
        return complain(&why, rc == ERR_BAD_REQUEST ? EXIT_USAGE : EXIT_FAILED);
    if (options->peers.is_gateway && !options->peers.listen)
        trace(TRACE_warn, "a gateway that nobody can reach: --role gateway with --listen none");
    printf("ready id=%s client=%s peers=%s data=%s\n", node_id(node), node_client_endpoints(node),
           node_peer_endpoint(node), options->data_dir);
    (void)fflush(stdout);
    trace(TRACE_info, "serving clients at %s, data in %s, durability %s",
          node_client_endpoints(node), options->data_dir, options->relaxed ? "relaxed" : "full");
    if (node_client_public_key(node))
        trace(TRACE_info, "clients from elsewhere need the server key %s",
              node_client_public_key(node));
    int got = wait_for(signals);
    trace(TRACE_info, "stopping on %s", got == SIGINT ? "SIGINT" : "SIGTERM");
    node_stop(&node);
    return 0;
}

/* Few threads allocate much: two arenas are enough. Large states stay on the heap, since memory
 * mapped anew for each costs a page fault every 4 KiB: a 10 MiB GET took 10 ms of CPU, and 5.7 ms
 * so. What a fold frees is given back when it is done with (store/fold.c), what any other peak left
 * by wait_for. */
static void tune_memory(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_TRIM_THRESHOLD, 32 << 20);
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

static int start(const struct node_settings *settings)
{
    struct node_options options;
    struct reason why = {{0}};
    char usual[4096];
    const char *data_dir;
    sigset_t signals;
    int rc = start_log(settings, &why);
    if (rc == 0)
        rc = data_dir_of(settings, usual, sizeof usual, &data_dir, &why);
    if (rc == 0)
        rc = options_of(settings, data_dir, &options, &why);
    if (rc)
        return complain(&why, EXIT_USAGE);
    tune_memory();
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* the write says so too */
    bad_page_watch();
    (void)setenv("ZSYS_SIGHANDLER", "false", 1); /* czmq leaves signals to us */
    return run_node(&options, &signals);
}

int node_command(int argc, char **argv)
{
    struct node_settings settings = {0};
    struct reason why = {{0}};
    bool help;
    int rc = node_settings_read(&settings, argc, argv, &help, &why);
    int exit_code = 0;
    if (rc) {
        exit_code = complain(&why, rc == ERR_IO ? EXIT_FAILED : EXIT_USAGE);
    } else if (help) {
        printf("usage: weir node [options]\n\nRuns a node in the foreground until SIGINT or "
               "SIGTERM.\n\n");
        node_settings_help(stdout);
    } else {
        exit_code = start(&settings);
    }
    node_settings_free(&settings);
    return exit_code;
}
