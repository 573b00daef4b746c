/* Adds 1 to a counter 10,000 times without waiting for each answer, then reads it. What the node
 * has not answered yet is bounded by the handle's window: weir_edit_async waits when it is full.
 *
 * cc -o count count.c $(pkg-config --cflags --libs libweir) && ./count */
#include <stdio.h>
#include <string.h>
#include <weir.h>

enum { ADDITIONS = 10000 };

static void on_done(weir_t *w, const struct weir_reply *reply, void *arg)
{
    int *failed = arg;
    (void)w;
    if (reply->code && (*failed)++ == 0)
        fprintf(stderr, "count: %s\n", reply->sentence);
}

static int print_number(void *arg, const struct weir_item *item)
{
    (void)arg;
    printf("the counter stands at %lld\n", (long long)item->number);
    return 0;
}

static int add_many(weir_t *w, const uint8_t *key, int *failed)
{
    struct weir_bytes one = weir_text("1");
    for (int i = 0; i < ADDITIONS; i++) {
        int rc = weir_edit_async(w, key, "add", &one, 1, on_done, failed);
        if (rc)
            return rc;
    }
    return weir_drain(w);
}

int main(void)
{
    const struct weir_reply *reply;
    weir_contract_t *counter = NULL;
    int failed = 0;
    weir_t *w = weir_new(NULL);
    /* The key follows from kind and parameters alone; here there are none. */
    int rc = weir_contract_new("counter", weir_text(""), &counter, NULL);
    if (!rc)
        rc = weir_put(w, "counter", weir_text(""), weir_text(""), NULL);
    if (!rc)
        rc = add_many(w, weir_contract_key(counter), &failed);
    if (!rc)
        rc = weir_get(w, weir_contract_key(counter), &reply);
    if (!rc)
        rc = weir_items(counter, reply->state, print_number, NULL, NULL);
    if (rc)
        fprintf(stderr, "count: %s\n", weir_error(w));
    weir_contract_destroy(&counter);
    weir_destroy(&w);
    return rc || failed;
}
