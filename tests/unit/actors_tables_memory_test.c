/* Tables that peers and clients make grow: without memory the one row is refused, the others stay,
 * and the node goes on. */
/* link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "actors/client_sessions.h"
#include "actors/exchanges.h"
#include "actors/holding.h"
#include "actors/peer_links.h"
#include "actors/peers.h"
#include "actors/relays.h"
#include "actors/storage.h"
#include "actors/subscriptions.h"
#include "tests/support/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROWS = 400, STEPS = 10 /* allocations of the first rows that fail in turn */ };

/* A table under test. add: false when the row was refused. */
struct table {
    const char *name;
    bool (*add)(unsigned row);
    bool (*has)(unsigned row);
    void (*free)(void);
};

static struct contract_key key_of(unsigned row)
{
    struct contract_key key = {{0}};
    put_u32(key.bytes, row + 1);
    return key;
}

static struct node_id id_of(unsigned row)
{
    struct node_id id = {{0}};
    put_u32(id.bytes, row + 1);
    return id;
}

/* --- contracts that are kept fed ---------------------------------------------------------- */

static struct holding_table holdings;

static bool add_holding(unsigned row)
{
    struct contract_key key = key_of(row);
    if (!holdings.abouts_last)
        holding_table_init(&holdings);
    return holding_of(&holdings, &key) != NULL;
}

/* Each from another peer, so that both tables grow. */
static bool add_holding_of_a_peer(unsigned row)
{
    struct contract_key key = key_of(row);
    if (!holdings.abouts_last)
        holding_table_init(&holdings);
    bool added = holding_for_peer(&holdings, &key, row + 1) != NULL;
    assert_int_equal(holdings.of_peers, HASH_COUNT(holdings.rows));
    assert_int_equal(HASH_COUNT(holdings.makers), HASH_COUNT(holdings.rows));
    return added;
}

static bool has_holding(unsigned row)
{
    struct contract_key key = key_of(row);
    return holding_find(&holdings, &key) != NULL;
}

static void free_holdings(void)
{
    holding_table_free(&holdings);
    holdings = (struct holding_table){0};
}

/* --- syncs -------------------------------------------------------------------------------- */

static struct exchanges exchanges;

static bool add_exchange(unsigned row)
{
    struct contract_key key = key_of(row);
    bool added = exchanges_add(&exchanges, row + 1, &key, false) != NULL;
    assert_int_equal(HASH_COUNT(exchanges.peers), HASH_COUNT(exchanges.rows));
    assert_int_equal(HASH_CNT(by_number, exchanges.numbers), HASH_COUNT(exchanges.rows));
    return added;
}

static bool has_exchange(unsigned row)
{
    struct contract_key key = key_of(row);
    return exchanges_find(&exchanges, row + 1, &key, false) != NULL;
}

static void free_exchanges(void)
{
    struct exchange *row, *next;
    HASH_ITER (hh, exchanges.rows, row, next) {
        exchanges_remove(&exchanges, row);
    }
    assert_null(exchanges.peers);
}

/* --- clients ------------------------------------------------------------------------------ */

static struct sessions sessions;

static struct slice name_of(unsigned row)
{
    static uint8_t name[4];
    put_u32(name, row);
    return slice_of(name, sizeof name);
}

static bool add_session(unsigned row)
{
    struct session *evicted = NULL;
    bool added = sessions_of(&sessions, name_of(row), &evicted) != NULL;
    assert_null(evicted);
    assert_int_equal(HASH_CNT(by_number, sessions.by_number), sessions.count);
    return added;
}

static bool has_session(unsigned row)
{
    struct session *session;
    struct slice name = name_of(row);
    HASH_FIND(hh, sessions.by_from, name.data, name.size, session);
    return session && sessions_find(&sessions, session->number) == session;
}

static void free_sessions(void)
{
    while (sessions.used) {
        struct session *session = sessions.used;
        sessions_take_out(&sessions, session);
        session_free(session);
    }
    sessions = (struct sessions){0};
}

static struct subscriptions subscriptions;

static bool add_subscription(unsigned row)
{
    struct contract_key key = key_of(row);
    struct subscription *sub;
    int rc = subscriptions_add(&subscriptions, row + 1, &key, &sub, NULL);
    assert_true(rc == 0 || rc == ERR_INTERNAL);
    assert_int_equal(HASH_COUNT(subscriptions.topics), subscriptions.clients_count);
    assert_int_equal(HASH_COUNT(subscriptions.followers), subscriptions.clients_count);
    assert_int_equal(HASH_COUNT(subscriptions.subscriptions), subscriptions.clients_count);
    return rc == 0;
}

static bool has_subscription(unsigned row)
{
    struct contract_key key = key_of(row);
    return subscriptions_find(&subscriptions, row + 1, &key) != NULL;
}

static void free_subscriptions(void)
{
    for (unsigned row = 0; row < ROWS; row++)
        subscriptions_remove_all(&subscriptions, row + 1);
    assert_null(subscriptions.topics);
}

/* --- peers, connections, what they ask for ------------------------------------------------ */

static struct peers peers;

static bool add_peer(unsigned row)
{
    struct node_id id = id_of(row);
    bool added = peers_of(&peers, &id) != NULL;
    assert_int_equal(HASH_CNT(by_id, peers.by_id), peers.count);
    return added;
}

static bool has_peer(unsigned row)
{
    struct node_id id = id_of(row);
    return peers_find(&peers, &id) != NULL;
}

static bool add_link(unsigned row)
{
    struct node_id id = id_of(row);
    struct peer *peer = peers_of(&peers, &id);
    bool added = peer && peers_link(&peers, peer, row + 1, true);
    assert_true(added || !peer || !peer->links);
    return added;
}

static bool has_link(unsigned row)
{
    return peers_link_find(&peers, row + 1) != NULL;
}

static void free_peers(void)
{
    peers_free(&peers);
    assert_int_equal(peers.count, 0);
}

static struct peer_links links;

static bool add_connection(unsigned row)
{
    struct peer_link *link = links_add(&links, (int)row);
    if (link && links_name(&links, link, row + 1))
        return true;
    if (link)
        links_remove(&links, &link);
    assert_null(links_of(&links, (int)row));
    return false;
}

static bool has_connection(unsigned row)
{
    return links_find(&links, row + 1) && links_find(&links, row + 1) == links_of(&links, (int)row);
}

static void free_connections(void)
{
    for (unsigned row = 0; row < ROWS; row++) {
        struct peer_link *link = links_of(&links, (int)row);
        links_remove(&links, &link);
    }
    links_free(&links);
}

static struct relays relays;
static uint64_t relay_numbers[ROWS];

static bool add_relay(unsigned row)
{
    struct contract_key key = key_of(row);
    if (!relays.deadline_ms)
        relays_init(&relays, 0);
    struct relay *relay = relays_open(&relays, row + 1, &key, 1000, RELAY_locating);
    relay_numbers[row] = relay ? relay->number : 0;
    assert_int_equal(relays.capacity - relays.free_count, relays.of_peers);
    return relay != NULL;
}

static bool has_relay(unsigned row)
{
    return relay_numbers[row] && relays_find(&relays, relay_numbers[row]);
}

static void free_relays(void)
{
    relays_free(&relays);
    assert_null(relays.counts);
}

static struct strangers strangers;

static bool add_stranger(unsigned row)
{
    uint8_t prefix[PREFIX_BYTES] = {1};
    put_u32(prefix + 1, row);
    return strangers_admit(&strangers, prefix, 0);
}

static bool has_stranger(unsigned row)
{
    (void)row;
    return strangers.at_once > 0;
}

static void free_strangers(void)
{
    strangers_free(&strangers);
    strangers = (struct strangers){0};
}

/* --- the claims --------------------------------------------------------------------------- */

static const struct table tables[] = {
    {"holdings", add_holding, has_holding, free_holdings},
    {"holdings of peers", add_holding_of_a_peer, has_holding, free_holdings},
    {"exchanges", add_exchange, has_exchange, free_exchanges},
    {"sessions", add_session, has_session, free_sessions},
    {"subscriptions", add_subscription, has_subscription, free_subscriptions},
    {"peers", add_peer, has_peer, free_peers},
    {"links", add_link, has_link, free_peers},
    {"connections", add_connection, has_connection, free_connections},
    {"relays", add_relay, has_relay, free_relays},
    {"strangers", add_stranger, has_stranger, free_strangers},
};

/* The n-th allocation fails while all rows are added: one of them is refused, and taken when it
 * comes again. True: there was an n-th. */
static bool play(const struct table *table, void (*begin)(unsigned n), unsigned n)
{
    unsigned refused = ROWS;
    begin(n);
    for (unsigned row = 0; row < ROWS; row++)
        if (!table->add(row)) {
            assert_int_equal(refused, ROWS); /* one allocation failed, so one row did */
            refused = row;
        }
    bool reached = failing_memory_end();
    assert_true(reached || refused == ROWS);
    if (refused < ROWS)
        assert_true(table->add(refused));
    for (unsigned row = 0; row < ROWS; row++)
        assert_true(table->has(row));
    table->free();
    return reached;
}

static void without_memory_one_row_is_refused_and_the_others_stay(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        unsigned n = 1;
        while (play(&tables[t], failing_memory_begin_tables, n) && n < 20)
            n++;
        assert_true(n > 3); /* the table, its first buckets, and what it grew by */
        for (n = 1; n <= STEPS; n++)
            assert_true(play(&tables[t], failing_memory_begin, n));
    }
}

/* A row that cannot be refused, since nobody waits for an answer: all changes are told until there
 * is memory for it. */
static void without_memory_to_watch_one_contract_all_are_watched(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        storage_t storage = {0};
        struct watch *watch = (struct watch *)message_new(sizeof *watch);
        struct contract_key key = key_of(0), other = key_of(1);
        assert_non_null(watch);
        watch->head.kind = MESSAGE_WATCH;
        watch->key = key;
        watch->on = true;
        assert_false(storage_is_watched(&storage, &key));
        failing_memory_begin(n);
        storage_watch(&storage, watch);
        assert_true(failing_memory_end());
        failing_memory_none();
        assert_true(storage_is_watched(&storage, &other));
        assert_true(failing_memory_end());
        assert_true(storage_is_watched(&storage, &key));
        assert_false(storage_is_watched(&storage, &other));
        assert_int_equal(storage.watched_count, 1);
        storage_forget_watched(&storage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_one_row_is_refused_and_the_others_stay),
        cmocka_unit_test(without_memory_to_watch_one_contract_all_are_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
