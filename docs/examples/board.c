/* A board that many write on: a map on a weir node. Writes a note (of the name given, else "hello")
 * and follows the board until that note arrives, as it would at anybody's who follows.
 *
 * cc -o board board.c $(pkg-config --cflags --libs libweir) && ./board milk "buy two" */
#include <stdio.h>
#include <string.h>
#include <weir.h>

static int print_field(void *arg, const struct weir_item *item)
{
    (void)arg;
    printf("  %s%.*s: %.*s\n", item->removed ? "gone: " : "", (int)item->name.size,
           (const char *)item->name.data, (int)item->value.size, (const char *)item->value.data);
    return 0;
}

/* The first event is the whole board, the others are what changed: all are lists of fields. */
static void on_event(weir_t *w, const struct weir_event *event, void *arg)
{
    int *changes = arg;
    (void)w;
    printf(event->kind == WEIR_EVENT_STATE ? "the board:\n" : "changed:\n");
    if (event->contract)
        weir_items(event->contract, event->delta, print_field, NULL, NULL);
    *changes += event->kind != WEIR_EVENT_STATE;
}

/* The same kind and name are the same contract, whoever puts it first. */
static int open_board(weir_t *w, uint8_t key[WEIR_KEY_BYTES])
{
    const struct weir_reply *reply;
    weir_params_t *params = weir_params_new();
    int rc = weir_params_set(params, "name", "board", NULL);
    if (!rc)
        rc = weir_put(w, "map", weir_params_bytes(params), weir_text(""), &reply);
    if (!rc)
        memcpy(key, reply->key, WEIR_KEY_BYTES);
    weir_params_destroy(&params);
    return rc;
}

int main(int argc, char **argv)
{
    uint8_t key[WEIR_KEY_BYTES];
    int changes = 0;
    weir_t *w = weir_new(NULL); /* the node at $WEIR_NODE, or on this machine */
    int rc = open_board(w, key);
    if (!rc)
        rc = weir_subscribe(w, key, NULL, on_event, &changes);
    if (!rc)
        rc = weir_map_set(w, key, weir_text(argc > 1 ? argv[1] : "hello"),
                          weir_text(argc > 2 ? argv[2] : "world"));
    while (rc >= 0 && !changes)
        rc = weir_step(w, -1);
    if (rc < 0)
        fprintf(stderr, "board: %s\n", weir_error(w));
    weir_destroy(&w);
    return rc < 0;
}
